import * as twgl from 'twgl.js';
import { lookUpTable, type ScaleKind } from './colours';
import type { Placed } from './sheet';

const vertex = `#version 300 es
in vec2 corner;
uniform vec4 rect;
uniform vec2 extent;
out vec2 cell;
void main() {
  cell = corner * extent;
  gl_Position = vec4(mix(rect.xy, rect.zw, corner), 0.0, 1.0);
}`;

// A pixel looks at every value that it covers, so none is dropped however many there are: it shows their mean, or the strongest of them.
const fragment = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
in vec2 cell;
out vec4 colour;
uniform sampler2D values;
uniform sampler2D table;
uniform int offset;
uniform int count;
uniform int columns;
uniform int rowLength;
uniform ivec2 tile;
uniform int gap;
uniform vec2 covered;
uniform float range;
uniform bool root;
uniform bool strongest;

void main() {
  ivec2 samples = ivec2(clamp(ceil(covered), 1.0, 64.0));
  vec2 apart = covered / vec2(samples);
  vec2 first = samples == ivec2(1) ? cell : cell - 0.5 * covered + 0.5 * apart;
  vec2 pitch = vec2(tile + gap);
  float total = 0.0;
  float found = 0.0;
  float extreme = 0.0;
  for (int j = 0; j < samples.y; j++) {
    for (int i = 0; i < samples.x; i++) {
      vec2 place = first + vec2(i, j) * apart;
      if (place.x < 0.0 || place.y < 0.0) continue;
      ivec2 number = ivec2(place / pitch);
      ivec2 inside = ivec2(place - vec2(number) * pitch);
      if (number.x >= columns || inside.x >= tile.x || inside.y >= tile.y) continue;
      int k = ((number.y * columns + number.x) * tile.y + inside.y) * tile.x + inside.x;
      if (k >= count) continue;
      int at = offset + k;
      float value = texelFetch(values, ivec2(at % rowLength, at / rowLength), 0).r;
      total += value;
      found += 1.0;
      if (abs(value) > abs(extreme)) extreme = value;
    }
  }
  if (found == 0.0) discard;
  float part = clamp((strongest ? extreme : total / found) / range, -1.0, 1.0);
  if (root) part = sign(part) * sqrt(abs(part));
  colour = texture(table, vec2(0.5 + 0.5 * part * (255.0 / 256.0), 0.5));
}`;

/** What is seen of a sheet: its point at the canvas's corner, and pixels for each of its pixels. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface HeatStyle {
  /** Size of value that has the strongest colour. */
  readonly range: number;
  readonly kind: ScaleKind;
  readonly strongest: boolean;
  readonly stops: readonly string[];
}

/** Draws values on a sheet as a heat map by WebGL2. */
export class HeatMap {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: twgl.ProgramInfo;
  readonly #quad: twgl.BufferInfo;
  #values: WebGLTexture | null = null;
  #table: WebGLTexture | null = null;
  #stops: readonly string[] = [];
  #rowLength = 1;
  #padded = new Float32Array(0);

  /** Throws Error where the browser has no WebGL2. */
  constructor(readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { alpha: true, antialias: false, preserveDrawingBuffer: true });
    if (gl === null) throw new Error('This browser has no WebGL2, which the heat map needs.');
    this.#gl = gl;
    this.#program = twgl.createProgramInfo(gl, [vertex, fragment]);
    this.#quad = twgl.createBufferInfoFromArrays(gl, {
      corner: { numComponents: 2, data: [0, 0, 1, 0, 0, 1, 1, 1] },
    });
  }

  /** Takes the values to be shown [n]. */
  setValues(values: ArrayLike<number>): void {
    const gl = this.#gl;
    const rowLength = Math.min(4096, Math.max(1, Math.ceil(Math.sqrt(values.length))));
    const rows = Math.max(1, Math.ceil(values.length / rowLength));
    if (this.#padded.length !== rows * rowLength) this.#padded = new Float32Array(rows * rowLength);
    this.#padded.set(values);
    const isNew = this.#values === null || rowLength !== this.#rowLength;
    this.#rowLength = rowLength;
    this.#values ??= gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.#values);
    if (isNew) twgl.setTextureParameters(gl, this.#values, { minMag: gl.NEAREST, wrap: gl.CLAMP_TO_EDGE });
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, rowLength, rows, 0, gl.RED, gl.FLOAT, this.#padded);
  }

  /** Draws all at once; `density` is device pixels for each pixel of the page. */
  draw(placed: readonly Placed[], camera: Camera, style: HeatStyle, density: number): void {
    const gl = this.#gl;
    const { width, height } = this.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (this.#values === null) return;
    this.#useTable(style.stops);
    gl.useProgram(this.#program.program);
    twgl.setBuffersAndAttributes(gl, this.#program, this.#quad);
    twgl.setUniforms(this.#program, {
      values: this.#values, table: this.#table, rowLength: this.#rowLength,
      range: Math.max(style.range, 1e-38), root: style.kind === 'root', strongest: style.strongest,
    }); // prettier-ignore
    for (const own of placed) this.#drawOne(own, camera, density);
  }

  #drawOne(
    { x, y, cell, extent, tile, offset, count, columns, gap }: Placed,
    camera: Camera,
    density: number,
  ): void {
    const { width, height } = this.canvas;
    const scale = camera.zoom * density;
    const [left, top] = [(x - camera.x) * scale, (y - camera.y) * scale];
    const [right, bottom] = [left + extent[0] * cell * scale, top + extent[1] * cell * scale];
    if (right < 0 || bottom < 0 || left > width || top > height) return;
    const across = 1 / (cell * scale);
    twgl.setUniforms(this.#program, {
      rect: [(2 * left) / width - 1, 1 - (2 * top) / height, (2 * right) / width - 1, 1 - (2 * bottom) / height],
      extent, offset, count, columns, gap, tile: [tile[1], tile[0]], covered: [across, across],
    }); // prettier-ignore
    twgl.drawBufferInfo(this.#gl, this.#quad, this.#gl.TRIANGLE_STRIP);
  }

  #useTable(stops: readonly string[]): void {
    if (stops === this.#stops && this.#table !== null) return;
    const gl = this.#gl;
    if (this.#table !== null) gl.deleteTexture(this.#table);
    this.#table = twgl.createTexture(gl, {
      src: lookUpTable(stops),
      width: 256,
      height: 1,
      minMag: gl.NEAREST,
      wrap: gl.CLAMP_TO_EDGE,
    });
    this.#stops = stops;
  }

  /** Gives the graphics memory back. */
  dispose(): void {
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
