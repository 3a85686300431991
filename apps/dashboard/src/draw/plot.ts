/** What of Observable Plot the page uses: the largest part of its code, which charts wait for and nothing else does. */
export {
  areaY,
  contour,
  type ContourOptions,
  dot,
  line,
  type Markish,
  plot,
  type Plot,
  type PlotOptions,
  rectY,
  ruleX,
  ruleY,
  type ScaleOptions,
  stackY,
  text,
  tickX,
} from '@observablehq/plot';
