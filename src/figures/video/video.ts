import type { IndexedColours } from '../animation/colours.js';

/** What a video is made of. */
export interface VideoSetting {
  /** Pixels, both even. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly colours: IndexedColours;
}

/** Takes frames in order. */
export interface VideoEncoder {
  /** Adds a frame of indices of colours [height · width], which may be overwritten afterwards. */
  readonly add: (frame: Uint8Array) => Promise<void>;
  /** The whole file. */
  readonly finish: () => Promise<Uint8Array<ArrayBuffer>>;
}
