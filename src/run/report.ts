import { join } from 'node:path';
import { analyseRun, type RunAnalysis } from '../analysis/run.js';
import { renderReport } from '../figures/index.js';
import { writeResult } from '../store/results.js';
import type { Manifest } from '../store/manifest.js';
import type { RunReader } from '../store/reader.js';
import type { ProgressSink } from './control.js';

export interface Report {
  readonly analysis: RunAnalysis;
  /** The HTML page. */
  readonly path: string;
}

/** Analyses a run, writes RUN/analysis/run.json and RUN/report.html. */
export async function reportRun(run: RunReader, progress: ProgressSink): Promise<Report> {
  const view = await run.view();
  const { preset } = run.manifest.config;
  progress.start(view.segments);
  const analysis = await analyseRun(view, {
    ...(typeof preset === 'string' ? { preset } : {}),
    onProgress: (rows) => {
      progress.update(rows);
    },
  });
  progress.stop();
  const path = join(run.folder, 'report.html');
  await writeResult(run.folder, 'analysis/run.json', JSON.stringify(analysis));
  await writeResult(run.folder, 'report.html', renderReport({ analysis, facts: factsOf(run.manifest), title: titleOf(run.manifest) })); // prettier-ignore
  return { analysis, path };
}

function titleOf({ objective, config }: Manifest): string {
  return typeof config['preset'] === 'string' ? config['preset'] : `${objective.dataset} ${objective.model}`;
}

/** The run's definition in words, for the end of a report. */
function factsOf({
  objective,
  quadrature,
  trajectory,
  engine,
  config,
  seed,
  createdBy,
}: Manifest): [string, string][] {
  const { counts } = objective;
  const optimizer = ['optimizer', 'learningRate', 'momentum', 'weightDecay', 'batchSize']
    .filter((name) => config[name] !== null && config[name] !== 0)
    .map((name) => `${name} ${JSON.stringify(config[name])}`);
  return [
    ['Network', objective.model],
    [
      'Data',
      `${objective.dataset}: ${counts.train ?? 0} train, ${counts.validation ?? 0} validation examples`,
    ],
    ['Split (SHA-256)', objective.splitHash],
    ['Loss', `${objective.reduction} ${objective.loss}, nats; dropout ${objective.dropout}`],
    [
      'Chunk',
      `${objective.chunk} examples; batch statistics by ${objective.batchNorm}; ${objective.lanes} lanes`,
    ],
    trajectory.files.length > 0
      ? [
          'Trajectory',
          `${trajectory.iterations} steps from ${trajectory.files.map(({ name }) => name).join(', ')}`,
        ]
      : ['Training', `${trajectory.iterations} iterations; ${optimizer.join(', ')}; seed ${seed}`],
    [
      'Quadrature',
      `${quadrature.rule}, tolerance ${quadrature.tolerance ?? 'none'} nats, at most ${quadrature.maxSubintervals} subintervals`,
    ],
    ['Precision', `${objective.precision} gradients, float64 sums`],
    ['Engine', `${engine.name} (${engine.version})`],
    ['Made by', createdBy],
  ];
}
