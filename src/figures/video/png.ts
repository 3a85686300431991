import { crc32, deflateSync } from 'node:zlib';
import type { IndexedColours } from '../animation/colours.js';

const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A frame of indices of colours [height · width] as a PNG file with a palette, without loss. */
export function indexedPng(
  frame: Uint8Array,
  { width, height, colours }: { readonly width: number; readonly height: number; readonly colours: IndexedColours },
): Buffer {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(frame.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const data = deflateSync(rows, { level: 6 });
  return Buffer.concat([signature, chunk('IHDR', header), chunk('PLTE', colours.rgb), chunk('IDAT', data), chunk('IEND', new Uint8Array())]);
} // prettier-ignore
