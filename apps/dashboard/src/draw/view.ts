import type { ScaleKind } from './colours';
import type { Placed } from './sheet';

/** What is seen of a sheet: its point at the canvas's corner, and pixels for each of its pixels. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface HeatStyle {
  /** Size of value that has the strongest colour. */
  readonly range: number;
  readonly kind: ScaleKind;
  readonly strongest: boolean;
  readonly stops: readonly string[];
}

/** All that decides which value a pixel shows. */
export interface View {
  readonly placed: readonly Placed[];
  readonly camera: Camera;
  readonly density: number;
  /** Of the canvas, in device pixels. */
  readonly width: number;
  readonly height: number;
  /** Values of a row of the texture of values are 2 to that power. */
  readonly rowBits: number;
}

export const isSame = (one: View, other: View): boolean =>
  (Object.keys(one) as (keyof View)[]).every((key) => one[key] === other[key]);

/** A tensor that is seen. */
export interface Shape {
  readonly own: Placed;
  /** Left, top, right and bottom, in WebGL's coordinates. */
  readonly rect: readonly [number, number, number, number];
  /** Values along a side of a pixel. */
  readonly covered: number;
}

/** The tensors that are seen. */
export function shapesOf({ placed, camera, density, width, height }: View): Shape[] {
  const scale = camera.zoom * density;
  return placed.flatMap((own) => {
    const { x, y, cell, extent } = own;
    const [left, top] = [(x - camera.x) * scale, (y - camera.y) * scale];
    const [right, bottom] = [left + extent[0] * cell * scale, top + extent[1] * cell * scale];
    if (right < 0 || bottom < 0 || left > width || top > height) return [];
    const rect = [(2 * left) / width - 1, 1 - (2 * top) / height, (2 * right) / width - 1, 1 - (2 * bottom) / height] as const; // prettier-ignore
    return [{ own, rect, covered: 1 / (cell * scale) }];
  });
}
