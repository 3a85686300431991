import * as twgl from 'twgl.js';
import { lookUpTable } from './colours';
import { colourFragment, pixelFragment, placeFragment, singleFragment, vertex } from './shaders';
import { PixelColours } from './pixels';
import type { Placed } from './sheet';
import { type Camera, type HeatStyle, isSame, type Shape, shapesOf, type View } from './view';

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

  /** Takes the values to be shown [n]. */
  setValues(values: ArrayLike<number>): void {
    const gl = this.#gl;
    this.#numbers = values;
    const rowBits = Math.min(12, Math.max(0, Math.ceil(Math.log2(values.length) / 2)));
    const rowLength = 2 ** rowBits;
    this.#values ??= gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.#values);
    this.#makeRoom(rowBits, Math.max(1, Math.ceil(values.length / rowLength)));
    const singles = values instanceof Float32Array ? values : Float32Array.from(values);
    const whole = Math.floor(singles.length / rowLength);
    const put = (row: number, width: number, height: number) => {
      if (width === 0 || height === 0) return;
      const from = row * rowLength;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, width, height, gl.RED, gl.FLOAT, singles.subarray(from, from + width * height)); // prettier-ignore
    };
    put(0, rowLength, whole);
    put(whole, singles.length - whole * rowLength, 1);
  }

  /** Memory of the texture, made anew only where it changes. */
  #makeRoom(rowBits: number, rows: number): void {
    if (rowBits === this.#rowBits && rows === this.#rows) return;
    const gl = this.#gl;
    [this.#rowBits, this.#rows] = [rowBits, rows];
    twgl.setTextureParameters(gl, this.#values!, { minMag: gl.NEAREST, wrap: gl.CLAMP_TO_EDGE });
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, 2 ** rowBits, rows, 0, gl.RED, gl.FLOAT, null);
  }

  /** Draws all at once; `density` is device pixels for each pixel of the page. */
  draw(placed: readonly Placed[], camera: Camera, style: HeatStyle, density: number): void {
    const gl = this.#gl;
    const { width, height } = this.canvas;
    const view = this.#viewOf({ placed, camera, density, width, height, rowBits: this.#rowBits });
    const seen = this.#values === null ? [] : shapesOf(view);
    const single = seen.filter(({ covered }) => covered <= 1);
    const several = seen.filter(({ covered }) => covered > 1);
    if (single.length > 0) {
      this.#findPlaces(view, single);
      this.#findColours(style);
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

  /** Finds the colours of all values. */
  #findColours({ range, kind, stops }: HeatStyle): void {
    this.#useTable(stops);
    this.#colours = this.#textureOf(this.#colours, this.#gl.RGBA8, 2 ** this.#rowBits, this.#rows + 1);
    const [values, table] = [this.#values, this.#table];
    this.#fillAll(this.#colour, { values, table, range: Math.max(range, 1e-38), root: kind === 'root' });
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
