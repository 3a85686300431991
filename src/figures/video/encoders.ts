import { gifEncoder } from './gif.js';
import { mp4Encoder } from './mp4.js';
import type { VideoEncoder, VideoSetting } from './video.js';
import { webmEncoder } from './webm.js';

/** Kinds of video by the ending of their files. */
export const videoEncoders = {
  mp4: mp4Encoder,
  webm: webmEncoder,
  gif: gifEncoder,
} as const satisfies Readonly<Record<string, (setting: VideoSetting) => Promise<VideoEncoder>>>;

export type VideoFormat = keyof typeof videoEncoders;
