import { Command } from 'commander';
import {
  inspectNetwork,
  type OnnxPort,
  type OnnxSummary,
  type OnnxTensor,
} from '../../experiment/network/onnx-file.js';
import { columns, printJson, printLine } from '../output.js';

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('list what is in an ONNX model: tensors, operators, what is trained, what is not supported')
    .argument('<model>', 'ONNX file')
    .option('--json', 'print one JSON document')
    .action(async (path: string, options: { json?: boolean }) => {
      const summary = await inspectNetwork(path);
      if (options.json) printJson(summary);
      else printSummary(summary);
      if (summary.problem !== null) process.exitCode = 2;
    });
}

function printSummary(summary: OnnxSummary): void {
  const { name, producer, opset, parameters, tensors, operators } = summary;
  printLine(
    `${name || 'model'} (${producer || 'unknown producer'}, opset ${opset}), ${parameters} trained numbers`,
  );
  printLine(
    `\n${columns([...summary.inputs.map(portRow('input')), ...summary.outputs.map(portRow('output'))])}`,
  );
  printLine(`\nTensors\n${columns(tensors.map(tensorRow))}`);
  printLine(
    `\nOperators\n${columns(Object.entries(operators).map(([operator, count]) => [operator, String(count)]))}`,
  );
  for (const { operator, remedy } of summary.unsupported)
    printLine(`\nNot supported: ${operator}\n  to do: ${remedy}`);
  for (const warning of summary.warnings) printLine(`\nWarning: ${warning}`);
  printLine(
    summary.problem === null
      ? '\nThis model can be measured.'
      : `\nThis model cannot be measured: ${summary.problem}`,
  );
}

function portRow(what: string): (port: OnnxPort) => string[] {
  return ({ name, dtype, shape }) => [what, name, dtype, `[${shape.join(', ')}]`];
}

function tensorRow({ name, dtype, shape, trained, layer, neuronAxis }: OnnxTensor): string[] {
  const axis = neuronAxis === null ? '' : `neurons along axis ${neuronAxis}`;
  return [name, dtype, `[${shape.join(', ')}]`, trained ? 'trained' : 'constant', layer ?? '', axis];
}
