import { loadEncoder } from './package.js';
import type { VideoEncoder, VideoSetting } from './video.js';
import { yuvConverter } from './yuv.js';

/** How coarsely H.264 quantises: at 24 text has no visible blur. */
const quantizationParameter = 24;

/** H.264 in an MP4 file, which nearly everything plays. Throws UsageError where the package is missing. */
export async function mp4Encoder(setting: VideoSetting): Promise<VideoEncoder> {
  const { default: library } = await loadEncoder('h264-mp4-encoder', () => import('h264-mp4-encoder'));
  const encoder = await library.createH264MP4Encoder();
  encoder.width = setting.width;
  encoder.height = setting.height;
  encoder.frameRate = setting.framesPerSecond;
  encoder.quantizationParameter = quantizationParameter;
  encoder.speed = 10;
  encoder.groupOfPictures = 2 * Math.ceil(setting.framesPerSecond);
  encoder.initialize();
  const convert = yuvConverter(setting);
  return {
    add: (frame) => {
      encoder.addFrameYuv(convert(frame));
      return Promise.resolve();
    },
    finish: () => {
      encoder.finalize();
      const bytes = Uint8Array.from(encoder.FS.readFile(encoder.outputFilename));
      encoder.FS.unlink(encoder.outputFilename);
      encoder.delete();
      return Promise.resolve(bytes);
    },
  };
}
