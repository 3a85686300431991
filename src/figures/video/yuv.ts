import type { VideoSetting } from './video.js';

/** Luminance and both differences of a colour in the limited range of BT.601, as small videos without a note are read. */
function convert(red: number, green: number, blue: number): [number, number, number] {
  const y = 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255;
  const u = 128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255;
  const v = 128 + (112 * red - 93.786 * green - 18.214 * blue) / 255;
  return [y, u, v];
}

/** Converts frames to planes Y [height · width], U and V [height / 2 · width / 2], one behind the other, in the same memory each time. */
export function yuvConverter({ width, height, colours }: VideoSetting): (frame: Uint8Array) => Uint8Array {
  const count = colours.rgb.length / 3;
  const [luma, blueness, redness] = [new Uint8Array(256), new Float64Array(256), new Float64Array(256)];
  for (let i = 0; i < count; i++) {
    const [y, u, v] = convert(colours.rgb[3 * i]!, colours.rgb[3 * i + 1]!, colours.rgb[3 * i + 2]!);
    luma[i] = Math.round(y);
    blueness[i] = u / 4;
    redness[i] = v / 4;
  }
  const pixels = width * height;
  const planes = new Uint8Array(1.5 * pixels);
  return (frame) => {
    for (let i = 0; i < pixels; i++) planes[i] = luma[frame[i]!]!;
    let at = pixels;
    for (let y = 0; y < height; y += 2) {
      for (let x = 0; x < width; x += 2) {
        const i = y * width + x;
        const [a, b, c, d] = [frame[i]!, frame[i + 1]!, frame[i + width]!, frame[i + width + 1]!];
        planes[at] = blueness[a]! + blueness[b]! + blueness[c]! + blueness[d]! + 0.5;
        planes[at + pixels / 4] = redness[a]! + redness[b]! + redness[c]! + redness[d]! + 0.5;
        at++;
      }
    }
    return planes;
  };
}
