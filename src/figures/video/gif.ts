import { createRequire } from 'node:module';
import type * as Gifenc from 'gifenc';
import type { VideoEncoder, VideoSetting } from './video.js';

const require = createRequire(import.meta.url);

/** A GIF, which shows each frame for whole hundredths of a second; its colours are those of the frames. */
export function gifEncoder({ width, height, framesPerSecond, colours }: VideoSetting): Promise<VideoEncoder> {
  const { GIFEncoder } = require('gifenc') as typeof Gifenc;
  const encoder = GIFEncoder();
  const palette = Array.from({ length: colours.rgb.length / 3 }, (_, i) => [...colours.rgb.subarray(3 * i, 3 * i + 3)]);
  const delay = 10 * Math.max(2, Math.round(100 / framesPerSecond));
  let first = true;
  return Promise.resolve({
    add: (frame) => {
      encoder.writeFrame(frame, width, height, { delay, ...(first ? { palette } : {}) });
      first = false;
      return Promise.resolve();
    },
    finish: () => {
      encoder.finish();
      return Promise.resolve(Uint8Array.from(encoder.bytes()));
    },
  });
} // prettier-ignore
