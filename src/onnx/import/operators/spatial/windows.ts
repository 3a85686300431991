import type { Attributes, Shape, Value } from '../../../../graph/types.js';
import type { AutoPad } from '../../../../graph/windows.js';
import { resolvePads, resolveTransposePads } from '../../../../graph/windows.js';
import type { NodeContext, TranslationTable } from '../../context.js';

interface Sliding {
  readonly strides: number[];
  readonly dilations: number[];
  readonly autoPad: AutoPad;
}

function sliding(c: NodeContext, kernel: Shape): Sliding {
  const ones = kernel.map(() => 1);
  return {
    strides: c.attributes.ints('strides') ?? ones,
    dilations: c.attributes.ints('dilations') ?? ones,
    autoPad: c.attributes.text('auto_pad', 'NOTSET') as AutoPad,
  };
}

/** Pads as given, or as `auto_pad` means them for this input. */
function padsOf(c: NodeContext, x: Value, kernel: Shape): number[] {
  const { strides, dilations, autoPad } = sliding(c, kernel);
  const given = c.attributes.ints('pads');
  if (autoPad === 'NOTSET' && given !== undefined) return given;
  return resolvePads(autoPad, x.shape.slice(2), kernel, strides, dilations);
}

function conv(c: NodeContext): Value {
  const [x, w] = [c.value(0), c.value(1)];
  const kernel = w.shape.slice(2);
  const { strides, dilations } = sliding(c, kernel);
  const group = c.attributes.int('group', 1);
  const attributes = { strides, dilations, pads: padsOf(c, x, kernel), group };
  return c.add('Conv', [x, w, c.optionalValue(2)], attributes);
}

function convTranspose(c: NodeContext): Value {
  const [x, w] = [c.value(0), c.value(1)];
  const kernel = w.shape.slice(2);
  const { strides, dilations, autoPad } = sliding(c, kernel);
  const padding = c.attributes.ints('output_padding') ?? kernel.map(() => 0);
  const output = c.attributes.ints('output_shape')?.slice(-kernel.length);
  const given = c.attributes.ints('pads') ?? [...kernel, ...kernel].map(() => 0);
  const open = autoPad !== 'NOTSET' || output !== undefined;
  const pads = open
    ? resolveTransposePads(autoPad, x.shape.slice(2), kernel, strides, dilations, padding, output)
    : given;
  const group = c.attributes.int('group', 1);
  const attributes = { strides, dilations, pads, group, output_padding: padding };
  return c.add('ConvTranspose', [x, w, c.optionalValue(2)], attributes);
}

function poolAttributes(c: NodeContext, x: Value): Attributes {
  const kernel = c.attributes.ints('kernel_shape') ?? c.fail('no kernel_shape', 'the extents of its windows');
  const { strides, dilations } = sliding(c, kernel);
  const ceilMode = c.attributes.int('ceil_mode', 0);
  return { kernel_shape: kernel, strides, dilations, pads: padsOf(c, x, kernel), ceil_mode: ceilMode };
}

function maxPool(c: NodeContext): Value {
  if ((c.node.output[1] ?? '') !== '') c.fail('its indices as a second output', 'its maxima alone');
  const x = c.value(0);
  return c.add('MaxPool', [x], poolAttributes(c, x));
}

function averagePool(c: NodeContext): Value {
  const x = c.value(0);
  const countIncludePad = c.attributes.int('count_include_pad', 0);
  return c.add('AveragePool', [x], { ...poolAttributes(c, x), count_include_pad: countIncludePad });
}

function globalMaxPool(c: NodeContext): Value {
  const x = c.value(0);
  return c.add('ReduceMax', [x], { axes: [...x.shape.keys()].slice(2) });
}

/** Convolution and pooling. */
export const windowed: TranslationTable = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (c) => c.add('GlobalAveragePool', [c.value(0)]),
  GlobalMaxPool: globalMaxPool,
};
