import { strFromU8, strToU8 } from 'fflate';
import * as z from 'zod';
import { StoreError } from '../../errors.js';
import { manifestName, type Place } from '../context.js';
import { type Environment, environmentSchema } from './environment.js';
import { sha256 } from '../source.js';

const count = z.int().min(0);
const sha = z.string().regex(/^[0-9a-f]{64}$/);

const rangeSchema = z.strictObject({ from: count, to: count });

/** A file `plan/N`: ranges that were planned together. It is made once and never changed. */
const pieceSchema = z.strictObject({
  format: z.literal('lossledger-plan'),
  formatVersion: z.literal(1),
  /** SHA-256 of manifest.json. */
  manifest: sha,
  /** Number of the first task. */
  first: count,
  /** Segments of each task, ascending. */
  ranges: z.array(rangeSchema).min(1),
  environment: environmentSchema,
});

/** Ranges that were planned together. */
export type PlanPiece = z.infer<typeof pieceSchema>;

/** A range of segments that one worker measures into one part. */
export interface Task {
  /** Its number, from 0. */
  readonly task: number;
  /** First segment and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** SHA-256 of the file that has it. */
  readonly plan: string;
  readonly environment: Environment;
}

/** All tasks of a run, as planned so far. */
export interface Plan {
  /** SHA-256 of the manifest that it is for. */
  readonly manifest: string;
  /** Files of the plan: the next one is `plan/PIECES`. */
  readonly pieces: number;
  /** By their numbers. */
  readonly tasks: readonly Task[];
}

/** Path inside the run folder of the ranges that were planned together. */
export function planPath(piece: number): string {
  return `plan/${piece}`;
}

/** The bytes of a file of the plan; equal pieces give equal bytes. */
export function encodePiece(piece: Omit<PlanPiece, 'format' | 'formatVersion'>): Uint8Array {
  const whole = { format: 'lossledger-plan', formatVersion: 1, ...piece } satisfies PlanPiece;
  return strToU8(`${JSON.stringify(whole, null, 1)}\n`);
}

/** Reads the plan of a run; null where there is none. Throws StoreError where it is damaged, or that of another run. */
export async function loadPlan(place: Place): Promise<Plan | null> {
  const digest = place.digest ?? sha256;
  const tasks: Task[] = [];
  let pieces = 0;
  let manifest = '';
  for (; ; pieces++) {
    const bytes = await place.source.get(planPath(pieces));
    if (bytes === undefined) break;
    const path = `${place.place}/${planPath(pieces)}`;
    const piece = decodePiece(bytes, path);
    if (pieces === 0) manifest = digest((await place.source.get(manifestName)) ?? new Uint8Array(0));
    if (piece.manifest !== manifest) throw stale(path);
    if (piece.first !== tasks.length) throw damaged(path, `it begins with task ${piece.first}`);
    const [plan, { environment }] = [digest(bytes), piece];
    for (const range of piece.ranges) tasks.push({ task: tasks.length, ...range, plan, environment });
  }
  return pieces === 0 ? null : { manifest, pieces, tasks };
}

function decodePiece(bytes: Uint8Array, path: string): PlanPiece {
  let value: unknown;
  try {
    value = JSON.parse(strFromU8(bytes));
  } catch (error) {
    throw damaged(path, 'it is not JSON', error);
  }
  const result = pieceSchema.safeParse(value);
  if (result.success && result.data.ranges.every(({ from, to }) => from < to)) return result.data;
  throw damaged(path, result.success ? 'a range is empty' : z.prettifyError(result.error));
}

function damaged(path: string, what: string, cause?: unknown): StoreError {
  return new StoreError(
    {
      given: `${path} is damaged: ${what}`,
      expected: 'the plan as it was written',
      remedy:
        'restore the file from a copy, or plan anew (lca plan RUN --tasks N --anew), without the parts that are not merged',
    },
    { exitCode: 1, cause },
  );
}

function stale(path: string): StoreError {
  return new StoreError({
    given: `${path}, which was made for a run with another manifest`,
    expected: 'a plan of this run',
    remedy: 'plan anew: lca plan RUN --tasks N --anew',
  });
}

/** The numbers of an expression such as `3,17-19`, each once, ascending; null where it is none. */
export function tasksOfExpression(expression: string): number[] | null {
  const tasks = new Set<number>();
  for (const part of expression.split(',')) {
    const [from, to = from] = (/^(\d{1,7})(?:-(\d{1,7}))?$/.exec(part) ?? [])
      .slice(1)
      .filter(Boolean)
      .map(Number);
    if (from === undefined || to! < from || to! > mostTasks) return null;
    for (let task = from; task <= to!; task++) tasks.add(task);
  }
  return [...tasks].sort((a, b) => a - b);
}

/** What a task's number is at most. */
const mostTasks = 1_000_000;

/** Numbers of tasks as schedulers take them, such as `3,17-19`. */
export function arrayExpression(tasks: readonly number[]): string {
  const ascending = [...tasks].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const task of ascending) {
    const last = runs.at(-1);
    if (last?.[1] === task - 1) last[1] = task;
    else runs.push([task, task]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}
