import { loadEncoder } from './package.js';
import type { VideoEncoder, VideoSetting } from './video.js';
import { yuvConverter } from './yuv.js';

/** What libvpx takes: the range of its quantiser, and its quickest way. */
const quality = { qmin: 4, qmax: 30 } as const;
const speed = { deadline: 'realtime', 'cpu-used': '8', crf: '18', b: '80M' } as const;
/** AV_PIX_FMT_YUV420P. */
const planar = 0;

/** VP8 in a WebM file. Throws UsageError where the package is missing. */
export async function webmEncoder(setting: VideoSetting): Promise<VideoEncoder> {
  const { width, height, framesPerSecond } = setting;
  const { default: library } = await loadEncoder(
    '@libav.js/variant-webm',
    () => import('@libav.js/variant-webm'),
  );
  const av = await library.LibAV({ noworker: true, nothreads: true });
  await av.av_log_set_level(16);
  const timeBase: [number, number] = [1000, Math.round(1000 * framesPerSecond)];
  const [, context, frame, packet] = await av.ff_init_encoder('libvpx', {
    ctx: { width, height, pix_fmt: planar, framerate_num: timeBase[1], framerate_den: timeBase[0], ...quality },
    time_base: timeBase,
    options: speed,
  }); // prettier-ignore
  const name = 'animation.webm';
  const [muxer, , output] = await av.ff_init_muxer({ filename: name, open: true }, [[context, ...timeBase]]);
  await av.avformat_write_header(muxer, 0);
  const convert = yuvConverter(setting);
  const [pixels, stride] = [width * height, width / 2];
  const layout = [
    { offset: 0, stride: width },
    { offset: pixels, stride },
    { offset: 1.25 * pixels, stride },
  ];
  let count = 0;
  const encode = async (frames: readonly unknown[], last: boolean): Promise<void> => {
    const packets = await av.ff_encode_multi(context, frame, packet, frames as never[], last);
    await av.ff_write_multi(muxer, packet, packets);
  };
  return {
    add: (indices) =>
      encode([{ data: convert(indices), layout, width, height, format: planar, pts: count++, ptshi: 0 }], false), // prettier-ignore
    finish: async () => {
      await encode([], true);
      await av.av_write_trailer(muxer);
      await av.ff_free_muxer(muxer, output);
      const bytes = Uint8Array.from(await av.readFile(name));
      await av.ff_free_encoder(context, frame, packet);
      av.terminate();
      return bytes;
    },
  };
}
