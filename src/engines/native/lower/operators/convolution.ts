import type { Node, Value } from '../../../../graph/types.js';
import type { Convolution } from '../../../../graph/windows.js';
import { convolutionOf } from '../../../../graph/windows.js';
import type { KernelView } from '../../kernels/convolution/convolution.js';
import { convolution, packConvolution, packedLength } from '../../kernels/convolution/convolution.js';
import {
  convolutionWeights,
  packedWeightSums,
  unpackConvolutionWeights,
} from '../../kernels/convolution/weights.js';
import type { Gather } from '../../kernels/convolution/gather.js';
import { forwardGather, inputGradientGather } from '../../kernels/convolution/gather.js';
import { packWinograd, winograd, winogradLength } from '../../kernels/winograd/winograd.js';
import { schemeFor, weightSchemeFor } from '../../kernels/winograd/choose.js';
import {
  unpackWinogradWeights,
  winogradSumsLength,
  winogradWeights,
} from '../../kernels/winograd/weights.js';
import type { Expression, Stored } from '../../plan/expression.js';
import { apply } from '../../plan/expression.js';
import type { Step } from '../../plan/step.js';
import type { StaticView } from '../held.js';
import { rowMajorStrides } from '../held.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { open } from '../open.js';
import { unsupported } from '../unsupported.js';

function supportedConvolution(node: Node): Convolution {
  const c = convolutionOf(node);
  if (c.input.length > 2) throw unsupported(node, 'one or two spatial axes');
  return c;
}

function weightOf(node: Node, value: Value, lowering: Lowering): StaticView {
  const held = lowering.held(value);
  if (held.kind !== 'static') throw unsupported(node, 'a weight that is a parameter or constant');
  return held;
}

/** The weight as the forward pass (outputs × inputs) or the input gradient (inputs × outputs) reads it. */
function kernelView(held: StaticView, c: Convolution, isGradient: boolean): KernelView {
  const [outer, inner, ...spatial] = held.strides as [number, number, ...number[]];
  return {
    numbers: held.numbers,
    group: (c.outputChannels / c.group) * outer,
    output: isGradient ? inner : outer,
    input: isGradient ? outer : inner,
    ky: spatial.length === 1 ? 0 : spatial[0]!,
    kx: spatial.at(-1)!,
  };
}

function gatherNode(
  node: Node,
  lowering: Lowering,
  gather: Gather,
  view: KernelView,
  bias: Value | null,
): void {
  const { target } = lowering;
  const output = node.outputs[0]!;
  const input = lowering.copyable(node, node.inputs[0]!);
  const { hasZeroTail } = lowering.perExample(node, node.inputs[0]!);
  const key = JSON.stringify(['convolution', view, gather]);
  const scheme = schemeFor(gather);
  const packed =
    scheme === null
      ? lowering.loaded(key, packedLength(gather), (table) => packConvolution(gather, view, target, table))
      : lowering.loaded(key, winogradLength(gather, scheme), (table) =>
          packWinograd(gather, scheme, view, target, table),
        );
  const held = bias && weightOf(node, bias, lowering);
  const addend: Expression | null = held && { kind: 'table', table: lowering.table(held), per: 'channel' };
  const add = (stored: Stored): Step => {
    const options = { gather, packed, input, ...stored, target };
    return scheme === null ? convolution(options) : winograd(options, scheme);
  };
  const wrap = (computed: Expression): Expression =>
    addend === null ? computed : apply('add', computed, addend);
  open(output, hasZeroTail && addend === null, { add, wrap }, lowering);
}

function forward(node: Node, lowering: Lowering): void {
  const c = supportedConvolution(node);
  const view = kernelView(weightOf(node, node.inputs[1]!, lowering), c, false);
  gatherNode(node, lowering, forwardGather(c), view, node.inputs[2] ?? null);
}

function inputGradient(node: Node, lowering: Lowering): void {
  const c = supportedConvolution(node);
  const view = kernelView(weightOf(node, node.inputs[1]!, lowering), c, true);
  gatherNode(
    node,
    lowering,
    inputGradientGather(c, node.op === 'ConvGradInput'),
    view,
    node.inputs[2] ?? null,
  );
}

function weightGradient(node: Node, lowering: Lowering): void {
  const shape = { convolution: supportedConvolution(node), target: lowering.target };
  const [dy, x] = node.inputs as [Value, Value];
  const isMasked = lowering.perExample(node, dy).hasZeroTail || lowering.perExample(node, x).hasZeroTail;
  const gradient = lowering.copyable(node, dy);
  const input = lowering.copyable(node, x);
  const scheme = weightSchemeFor(shape.convolution);
  const length = scheme === null ? packedWeightSums(shape) : winogradSumsLength(shape, scheme);
  const packed = lowering.objects.sums(length);
  const output = node.outputs[0]!;
  const sums = lowering.objects.sums(output.shape.reduce((a, b) => a * b, 1));
  const operand = isMasked
    ? gradient
    : lowering.masked({ ...lowering.perExample(node, dy), expression: gradient });
  if (scheme === null)
    lowering.steps.push(
      convolutionWeights(shape, operand, input, packed),
      unpackConvolutionWeights(shape, packed, sums),
    );
  else
    lowering.steps.push(
      winogradWeights(shape, scheme, operand, input, packed),
      unpackWinogradWeights(shape, scheme, packed, sums),
    );
  const strides = rowMajorStrides(output.shape);
  lowering.hold(output, { kind: 'reduced', sums, factor: 1, shape: output.shape, strides });
}

export const convolutions: OperatorTable = [
  ['Conv', forward],
  ['ConvGradInput', inputGradient],
  ['ConvTranspose', inputGradient],
  ['ConvGradWeight', weightGradient],
];
