import type { IndexedColours } from '../animation/colours.js';
import { gifEncoder } from './gif.js';
import { mp4Encoder } from './mp4.js';
import { webmEncoder } from './webm.js';

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

/** Kinds of video by the ending of their files. */
export const videoEncoders = {
  mp4: mp4Encoder,
  webm: webmEncoder,
  gif: gifEncoder,
} as const satisfies Readonly<Record<string, (setting: VideoSetting) => Promise<VideoEncoder>>>;

export type VideoFormat = keyof typeof videoEncoders;
