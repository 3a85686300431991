/** Shaders of the heat map, GLSL ES 3.00. */

/** A rectangle on the canvas, and which part of the grid of cells it shows. */
export const vertex = `#version 300 es
in vec2 corner;
uniform vec4 rect;
uniform vec2 extent;
out vec2 cell;
void main() {
  cell = corner * extent;
  gl_Position = vec4(mix(rect.xy, rect.zw, corner), 0.0, 1.0);
}`;

/** Which value stands at a place of the grid of cells; −1: none. */
const grid = `
uniform int offset;
uniform int count;
uniform int columns;
uniform ivec2 tile;
uniform int gap;
int valueAt(vec2 place) {
  vec2 pitch = vec2(tile + gap);
  vec2 number = floor(place / pitch);
  ivec2 inside = ivec2(place - number * pitch);
  ivec2 own = ivec2(number);
  if (place.x < 0.0 || place.y < 0.0 || own.x >= columns || inside.x >= tile.x || inside.y >= tile.y) return -1;
  int k = ((own.y * columns + own.x) * tile.y + inside.y) * tile.x + inside.x;
  return k < count ? offset + k : -1;
}`;

const precision = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp usampler2D;`;

/**
 * Where in the texture of colours a pixel finds its own, where it shows one value: found once for a view, since it takes most of a frame where
 * there is no graphics card. Row 0 has no colour.
 */
export const placeFragment = `${precision}
in vec2 cell;
out uvec2 place;
// Rows of the textures of values and colours are 2 to that power: divisions of whole numbers take longest where there is no graphics card.
uniform int rowBits;
${grid}
void main() {
  int at = valueAt(cell);
  place = at < 0 ? uvec2(0) : uvec2(at & ((1 << rowBits) - 1), (at >> rowBits) + 1);
}`;

/** The texture of colours: row 0 is empty, then each value's. */
export const colourFragment = `${precision}
out vec4 colour;
uniform sampler2D values;
uniform sampler2D table;
uniform float range;
uniform bool root;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  if (at.y == 0) {
    colour = vec4(0.0);
    return;
  }
  float part = clamp(texelFetch(values, at - ivec2(0, 1), 0).r / range, -1.0, 1.0);
  if (root) part = sign(part) * sqrt(abs(part));
  colour = texture(table, vec2(0.5 + 0.5 * part * (255.0 / 256.0), 0.5));
}`;

/** Colours of pixels as they are; transparent ones leave what is there. */
export const pixelFragment = `${precision}
out vec4 colour;
uniform sampler2D pixels;
void main() {
  colour = texelFetch(pixels, ivec2(gl_FragCoord.xy), 0);
  if (colour.a == 0.0) discard;
}`;

/** Gives each pixel the colour at its place. */
export const singleFragment = `${precision}
out vec4 colour;
uniform usampler2D places;
uniform sampler2D colours;
void main() {
  colour = texelFetch(colours, ivec2(texelFetch(places, ivec2(gl_FragCoord.xy), 0).rg), 0);
}`;
