import { Command } from 'commander';
import { checkConfig, presetConfig } from '../../experiment/config/file.js';
import { presets, type Preset } from '../../experiment/config/presets.js';
import { estimateRun } from '../../experiment/cost/estimate.js';
import { openExperiment } from '../../experiment/experiment.js';
import { parameterCount } from '../../graph/types.js';
import { modelNamed } from '../../models/registry.js';
import { datasetStatuses } from '../../run/datasets.js';
import { columns, printJson, printLine, say } from '../output.js';
import { bytes, duration } from '../progress.js';

export function presetsCommand(): Command {
  return new Command('presets')
    .description("list the paper's experiments: parameters, iterations, and with --cost what each takes here")
    .option('--cost', 'time each network here (some seconds each) and print what a whole run takes')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean; cost?: boolean }) => {
      const rows = presets.map((preset) => ({ ...preset, parameters: parametersOf(preset) }));
      const costs = options.cost ? await costsHere() : null;
      if (options.json) {
        printJson(rows.map((row) => (costs === null ? row : { ...row, cost: costs.get(row.name) ?? null })));
        return;
      }
      const count = (value: number) => value.toLocaleString('en');
      const lines = rows.map(({ name, description, parameters, config }) => [
        name, count(parameters), count(config.iterations!), ...(costs ? [inWords(costs.get(name))] : []), description,
      ]); // prettier-ignore
      const heading = ['preset', 'parameters', 'iterations', ...(costs ? ['here'] : []), ''];
      printLine(columns([heading, ...lines]));
      if (costs === null) say('\nlca presets --cost says what each takes here.');
    });
}

function parametersOf({ config }: Preset): number {
  const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;
  const { model } = modelNamed(config.model!);
  return parameterCount(model.build({ examples: 1, training: false, transform }).parameters);
}

interface Cost {
  readonly seconds: number;
  readonly bytes: number;
}

function inWords(cost: Cost | undefined): string {
  return cost === undefined ? 'data not here' : `${duration(cost.seconds)}, ${bytes(cost.bytes)}`;
}

/** Seconds and bytes of each preset whose data are here, one network after the other. */
async function costsHere(): Promise<ReadonlyMap<string, Cost>> {
  const here = (await datasetStatuses()).filter((status) => status.here).map(({ name }) => name);
  const costs = new Map<string, Cost>();
  for (const { name, config } of presets) {
    if (!here.includes(config.data!)) continue;
    say(`timing ${name}`);
    const experiment = await openExperiment(checkConfig(presetConfig(name), name));
    const { seconds, bytes: size } = await estimateRun(experiment, { measure: true });
    costs.set(name, { seconds, bytes: size });
  }
  return costs;
}
