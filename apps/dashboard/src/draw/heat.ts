import * as twgl from 'twgl.js';
import { lookUpTable } from './colours';
import { colourFragment, pixelFragment, placeFragment, singleFragment, vertex } from './shaders';
import { PixelColours } from './pixels';
import type { Placed } from './sheet';
import { type Camera, type HeatStyle, isSame, type Shape, shapesOf, type View } from './view';

/** Rows [from, to) of the texture of values. */
type Rows = readonly [from: number, to: number];

/** Those that hold the values of tensors, in order and joined where they meet. */
function rowsOf(shapes: readonly Shape[], rowBits: number): Rows[] {
  const rows: [number, number][] = [];
  for (const { own } of shapes.toSorted((a, b) => a.own.offset - b.own.offset)) {
    const [from, to] = [own.offset >> rowBits, ((own.offset + own.count - 1) >> rowBits) + 1];
    const last = rows.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else rows.push([from, to]);
  }
  return rows;
}

function part(values: ArrayLike<number>, from: number, to: number): ArrayLike<number> {
  return values instanceof Float32Array ? values.subarray(from, to) : Array.prototype.slice.call(values, from, to) as number[]; // prettier-ignore
}

/** Draws values on a sheet as a heat map by WebGL2. */
export class HeatMap {
  readonly #gl: WebGL2RenderingContext;
  /** For tensors of which a pixel covers several values: the colours of pixels. */
  readonly #pixel: twgl.ProgramInfo;
  readonly #pixelColours = new PixelColours();
  #pixels: WebGLTexture | null = null;
  /** For the others: where each of their values is seen, the colours of all values, and both together. */
  readonly #place: twgl.ProgramInfo;
  readonly #colour: twgl.ProgramInfo;
  readonly #single: twgl.ProgramInfo;
  readonly #quad: twgl.BufferInfo;
  #numbers: ArrayLike<number> = [];
  /** Rows of the texture of values that have those of `#numbers`. */
  readonly #handed = new Set<number>();
  #values: WebGLTexture | null = null;
  #table: WebGLTexture | null = null;
  #stops: readonly string[] = [];
  /** Values of a row of the texture are 2 to that power. */
  #rowBits = -1;
  #rows = 0;
  #colours: twgl.FramebufferInfo | null = null;
  /** Where each pixel of the canvas finds its colour, and the view that this was found for. */
  #places: twgl.FramebufferInfo | null = null;
  #placesOf: View | null = null;
  #view: View | null = null;

  /** Throws Error where the browser has no WebGL2. */
  constructor(readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { alpha: true, antialias: false, preserveDrawingBuffer: true });
    if (gl === null) throw new Error('This browser has no WebGL2, which the heat map needs.');
    this.#gl = gl;
    this.#pixel = twgl.createProgramInfo(gl, [vertex, pixelFragment]);
    this.#place = twgl.createProgramInfo(gl, [vertex, placeFragment]);
    this.#colour = twgl.createProgramInfo(gl, [vertex, colourFragment]);
    this.#single = twgl.createProgramInfo(gl, [vertex, singleFragment]);
    this.#quad = twgl.createBufferInfoFromArrays(gl, {
      corner: { numComponents: 2, data: [0, 0, 1, 0, 0, 1, 1, 1] },
    });
  }

  /** Takes the values to be shown [n]; what of them the graphics card needs is handed to it when it is drawn. */
  setValues(values: ArrayLike<number>): void {
    this.#numbers = values;
    this.#handed.clear();
    const rowBits = Math.min(12, Math.max(0, Math.ceil(Math.log2(values.length) / 2)));
    this.#makeRoom(rowBits, Math.max(1, Math.ceil(values.length / 2 ** rowBits)));
  }

  /** Memory of the texture, made anew only where it changes. */
  #makeRoom(rowBits: number, rows: number): void {
    if (rowBits === this.#rowBits && rows === this.#rows) return;
    const gl = this.#gl;
    [this.#rowBits, this.#rows] = [rowBits, rows];
    this.#values ??= gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.#values);
    twgl.setTextureParameters(gl, this.#values, { minMag: gl.NEAREST, wrap: gl.CLAMP_TO_EDGE });
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, 2 ** rowBits, rows, 0, gl.RED, gl.FLOAT, null);
  }

  /** Hands over rows [from, to) of the texture, those that are there already left out. */
  #hand([from, to]: Rows): void {
    const [gl, rowLength] = [this.#gl, 2 ** this.#rowBits];
    gl.bindTexture(gl.TEXTURE_2D, this.#values);
    for (let row = from; row < to;) {
      if (this.#handed.has(row)) {
        row++;
        continue;
      }
      const first = row;
      while (row < to && !this.#handed.has(row)) this.#handed.add(row++);
      const singles = new Float32Array((row - first) * rowLength);
      singles.set(part(this.#numbers, first * rowLength, row * rowLength));
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, first, rowLength, row - first, gl.RED, gl.FLOAT, singles);
    }
  }

  /** Draws all at once; `density` is device pixels for each pixel of the page. */
  draw(placed: readonly Placed[], camera: Camera, style: HeatStyle, density: number): void {
    const gl = this.#gl;
    const { width, height } = this.canvas;
    const view = this.#viewOf({ placed, camera, density, width, height, rowBits: this.#rowBits });
    const seen = this.#values === null ? [] : shapesOf(view).filter(({ own }) => own.count > 0);
    const single = seen.filter(({ covered }) => covered <= 1);
    const several = seen.filter(({ covered }) => covered > 1);
    if (single.length > 0) {
      const rows = rowsOf(single, this.#rowBits);
      for (const range of rows) this.#hand(range);
      this.#findPlaces(view, single);
      this.#findColours(style, rows);
    }
    if (several.length > 0)
      this.#takePixels(view, this.#pixelColours.of(view, several, this.#numbers, style));
    twgl.bindFramebufferInfo(gl, null);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (single.length > 0) {
      const [places, colours] = [this.#places, this.#colours].map((texture) => texture!.attachments[0]);
      this.#fillAll(this.#single, { places, colours });
    }
    if (several.length > 0) this.#fillAll(this.#pixel, { pixels: this.#pixels });
  }

  /** The view as it was named before, where it is the same: what was found for it holds. */
  #viewOf(view: View): View {
    this.#view = this.#view !== null && isSame(this.#view, view) ? this.#view : view;
    return this.#view;
  }

  #takePixels({ width, height }: View, colours: Uint8Array): void {
    const gl = this.#gl;
    const options = { width, height, minMag: gl.NEAREST, wrap: gl.CLAMP_TO_EDGE, src: colours };
    if (this.#pixels === null) this.#pixels = twgl.createTexture(gl, options);
    else twgl.setTextureFromArray(gl, this.#pixels, colours, options);
  }

  /** Finds where each pixel has its colour, unless that is known. */
  #findPlaces(view: View, shapes: readonly Shape[]): void {
    if (this.#placesOf === view) return;
    const gl = this.#gl;
    this.#places = this.#textureOf(this.#places, gl.RG16UI, view.width, view.height);
    gl.clearBufferuiv(gl.COLOR, 0, [0, 0, 0, 0]);
    this.#use(this.#place, { rowBits: view.rowBits });
    for (const own of shapes) this.#fill(this.#place, own);
    this.#placesOf = view;
  }

  /** Finds the colours of all values in some rows. */
  #findColours({ range, kind, stops }: HeatStyle, rows: readonly Rows[]): void {
    const gl = this.#gl;
    this.#useTable(stops);
    const rowLength = 2 ** this.#rowBits;
    this.#colours = this.#textureOf(this.#colours, gl.RGBA8, rowLength, this.#rows + 1);
    const [values, table] = [this.#values, this.#table];
    gl.enable(gl.SCISSOR_TEST);
    // Row 0 has no colour.
    for (const [from, to] of [[-1, 0] as const, ...rows]) {
      gl.scissor(0, from + 1, rowLength, to - from);
      this.#fillAll(this.#colour, { values, table, range: Math.max(range, 1e-38), root: kind === 'root' });
    }
    gl.disable(gl.SCISSOR_TEST);
  }

  /** A texture of that size, bound to be drawn on. */
  #textureOf(before: twgl.FramebufferInfo | null, internalFormat: number, width: number, height: number) {
    const gl = this.#gl;
    const format = [{ internalFormat, minMag: gl.NEAREST, wrap: gl.CLAMP_TO_EDGE }];
    const texture = before ?? twgl.createFramebufferInfo(gl, format, width, height);
    if (texture.width !== width || texture.height !== height)
      twgl.resizeFramebufferInfo(gl, texture, format, width, height);
    twgl.bindFramebufferInfo(gl, texture);
    return texture;
  }

  #use(program: twgl.ProgramInfo, uniforms: Record<string, unknown>): void {
    this.#gl.useProgram(program.program);
    twgl.setBuffersAndAttributes(this.#gl, program, this.#quad);
    twgl.setUniforms(program, uniforms);
  }

  #fill(program: twgl.ProgramInfo, { own, rect }: Shape): void {
    const { extent, tile, offset, count, columns, gap } = own;
    twgl.setUniforms(program, { rect, extent, offset, count, columns, gap, tile: [tile[1], tile[0]] });
    twgl.drawBufferInfo(this.#gl, this.#quad, this.#gl.TRIANGLE_STRIP);
  }

  /** Draws on all that is drawn on. */
  #fillAll(program: twgl.ProgramInfo, uniforms: Record<string, unknown>): void {
    this.#use(program, { rect: [-1, -1, 1, 1], extent: [1, 1], ...uniforms });
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
