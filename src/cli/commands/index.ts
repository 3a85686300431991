import type { Command } from 'commander';
import { benchCommand } from './bench.js';
import { mergeCommand } from './cluster/merge.js';
import { packCommand } from './cluster/pack.js';
import { planCommand } from './cluster/plan.js';
import { submitCommand } from './cluster/submit.js';
import { workCommand } from './cluster/work.js';
import { completionCommand } from './completion.js';
import { dataCommand } from './data.js';
import { demoCommand } from './demo.js';
import { enginesCommand } from './engines.js';
import { compareCommand } from './experiments/compare.js';
import { forkCommand } from './experiments/fork.js';
import { pruneCommand } from './experiments/prune.js';
import { sweepCommand } from './experiments/sweep.js';
import { inspectCommand } from './inspect.js';
import { measureCommand } from './measure.js';
import { presetsCommand } from './presets.js';
import { analyzeCommand } from './results/analyze.js';
import { animateCommand } from './results/animate.js';
import { exportCommand } from './results/export.js';
import { figuresCommand } from './results/figures.js';
import { reportCommand } from './results/report.js';
import { viewCommand } from './results/view.js';
import { resumeCommand } from './resume.js';
import { runCommand, trainCommand } from './run.js';
import { verifyCommand } from './verify.js';

/** Every command, in the order in which help lists them. */
export function allCommands(): Command[] {
  return [
    demoCommand(), runCommand(), trainCommand(), measureCommand(), resumeCommand(), verifyCommand(), reportCommand(),
    analyzeCommand(), figuresCommand(), animateCommand(), viewCommand(),
    planCommand(), workCommand(), mergeCommand(), submitCommand(), packCommand(),
    compareCommand(), forkCommand(), sweepCommand(), pruneCommand(),
    exportCommand(), inspectCommand(), dataCommand(), presetsCommand(), enginesCommand(), benchCommand(), completionCommand(),
  ]; // prettier-ignore
}
