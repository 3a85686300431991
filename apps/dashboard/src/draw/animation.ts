import {
  BufferTarget,
  CanvasSource,
  getFirstEncodableVideoCodec,
  Mp4OutputFormat,
  Output,
  QUALITY_HIGH,
  type VideoCodec,
  WebMOutputFormat,
} from 'mediabunny';
import { HeatMap } from './heat';
import type { HeatStyle } from './view';
import { layOut } from './arrange';
import type { Tiling } from './sheet';
import type { Palette } from './colours';

/** Kinds of video, with the codecs that each may hold, best first. */
const kinds = {
  webm: { format: () => new WebMOutputFormat(), type: 'video/webm', codecs: ['vp9', 'vp8', 'av1'] },
  mp4: { format: () => new Mp4OutputFormat(), type: 'video/mp4', codecs: ['avc', 'hevc', 'av1', 'vp9'] },
} as const satisfies Record<string, { format: () => unknown; type: string; codecs: readonly VideoCodec[] }>;
export type VideoKind = keyof typeof kinds;

/** One frame: the values of the sheet, and what is said above them. */
export interface Frame {
  readonly values: ArrayLike<number>;
  readonly caption: string;
}

export interface AnimationInput {
  readonly kind: VideoKind;
  readonly tilings: readonly Tiling[];
  /** Of all frames: the range of colours is fixed. */
  readonly style: HeatStyle;
  readonly palette: Palette;
  readonly count: number;
  /** Frames in order; null: it was given up. */
  readonly frame: (k: number) => Promise<Frame | null>;
  readonly framesPerSecond: number;
}

/** Even, as video codecs ask for. */
const [width, height, top] = [1280, 720, 44] as const;

/**
 * Draws the sheet frame by frame and encodes it with the browser's own encoders.
 *
 * @returns The video; null where it was given up.
 * @throws Error where the browser has no encoder for this kind of video.
 */
export async function recordAnimation(input: AnimationInput): Promise<Blob | null> {
  const { format, type, codecs } = kinds[input.kind];
  const codec =
    'VideoEncoder' in window ? await getFirstEncodableVideoCodec([...codecs], { width, height }) : null;
  if (codec === null)
    throw new Error(
      `This browser cannot encode ${codecs.join(', ')} (WebCodecs, which pages from other machines have over https only). lca animate writes MP4, WebM and GIF without it.`,
    );
  const canvas = new OffscreenCanvas(width, height);
  const heatCanvas = document.createElement('canvas');
  [heatCanvas.width, heatCanvas.height] = [width, height - top];
  const heat = new HeatMap(heatCanvas);
  const output = new Output({ format: format(), target: new BufferTarget() });
  const source = new CanvasSource(canvas, { codec, quality: QUALITY_HIGH, keyFrameInterval: 2 });
  output.addVideoTrack(source, { frameRate: input.framesPerSecond });
  await output.start();
  try {
    const placed = layOut(input.tilings, width, height - top);
    for (let k = 0; k < input.count; k++) {
      const frame = await input.frame(k);
      if (frame === null) {
        await output.cancel();
        return null;
      }
      heat.setValues(frame.values);
      heat.draw(placed, { x: 0, y: 0, zoom: 1 }, input.style, 1);
      compose(canvas.getContext('2d')!, heatCanvas, frame.caption, input.palette);
      await source.add(k / input.framesPerSecond, 1 / input.framesPerSecond);
    }
    await output.finalize();
  } finally {
    heat.dispose();
  }
  return new Blob([output.target.buffer!], { type });
}

function compose(
  context: OffscreenCanvasRenderingContext2D,
  heat: HTMLCanvasElement,
  caption: string,
  palette: Palette,
): void {
  context.fillStyle = palette.panel;
  context.fillRect(0, 0, width, height);
  context.drawImage(heat, 0, top);
  context.fillStyle = palette.text;
  context.font = '20px system-ui, sans-serif';
  context.fillText(caption, 12, 30);
}
