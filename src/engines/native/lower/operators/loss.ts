import { numberAttribute, stringAttribute } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { SoftmaxLossOptions } from '../../kernels/softmax-loss.js';
import { softmaxLoss, softmaxLossGradient } from '../../kernels/softmax-loss.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { unsupported } from '../unsupported.js';

function optionsOf(node: Node, first: number, lowering: Lowering): SoftmaxLossOptions {
  const [logits, labels, weights] = node.inputs.slice(first) as (Value | undefined)[];
  const fed = lowering.held(labels!);
  if (fed.kind !== 'fed') throw unsupported(node, 'labels that are an input of the graph');
  const isMean = stringAttribute(node, 'reduction', 'mean') === 'mean';
  const weight = weights ? lowering.held(weights) : null;
  if (weight !== null && (weight.kind !== 'static' || isMean)) {
    throw unsupported(node, 'constant class weights, and reduction=sum with them');
  }
  lowering.perExample(node, logits!);
  const rows = sizeOf(logits!.shape.slice(0, -1));
  return {
    examples: lowering.examples,
    positions: rows / lowering.examples,
    classes: logits!.shape.at(-1)!,
    logits: lowering.tensor(logits!),
    labels: fed.feed,
    weights: weight && lowering.table(weight),
    smoothing: numberAttribute(node, 'label_smoothing', 0),
    scale: isMean ? 1 / rows : 1,
  };
}

function loss(node: Node, lowering: Lowering): void {
  const sums = lowering.objects.sums(1);
  lowering.steps.push(softmaxLoss(optionsOf(node, 0, lowering), sums));
  const output = node.outputs[0]!;
  lowering.hold(output, { kind: 'reduced', sums, factor: 1, shape: output.shape, strides: [] });
}

function lossGradient(node: Node, lowering: Lowering): void {
  const upstream = lowering.held(node.inputs[0]!);
  if (upstream.kind !== 'uniform') throw unsupported(node, 'a loss that is scaled by constants only');
  const options = optionsOf(node, 1, lowering);
  const scaled = { ...options, scale: options.scale * upstream.value };
  const output = node.outputs[0]!;
  const tensor = lowering.objects.tensor(options.positions * options.classes);
  lowering.steps.push(softmaxLossGradient(scaled, tensor));
  lowering.holdTensor(output, tensor, true);
}

export const losses: OperatorTable = [
  ['SoftmaxCrossEntropyLoss', loss],
  ['SoftmaxCrossEntropyLossGrad', lossGradient],
];
