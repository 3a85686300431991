import type { ObjectiveAnalysis, RunAnalysis } from '../analysis/index.js';
import { shorten } from './text.js';

/** How an objective's lines are drawn: options of a Plot mark. */
export interface LineStyle {
  readonly stroke: string;
  readonly strokeWidth: number;
  /** Left out: solid. */
  readonly strokeDasharray?: string;
}

/** An objective with what figures need to draw it. */
export interface DrawnObjective extends ObjectiveAnalysis {
  /** Its name, short enough for a legend. */
  readonly label: string;
  readonly style: LineStyle;
}

/** Of the objectives after the first, whose line is solid. */
const dashes = ['6 4', '2 3', '10 3 2 3', '4 2', '14 5'] as const;

const nameLength = 22;

/** An objective's name where there is little room. */
export const objectiveLabel = ({ name }: ObjectiveAnalysis): string => shorten(name, nameLength);

/**
 * The objectives in the run's order, in the order in which they are drawn: the first has a solid line below all others, whose dashes let
 * it show through where they coincide. From the seventh on, colours come again with other dashes.
 */
export function drawnObjectives(
  { objectives }: RunAnalysis,
  { objectives: colours }: { readonly objectives: readonly string[] },
): DrawnObjective[] {
  return objectives.map((objective, index) => {
    const stroke = colours[index % colours.length]!;
    const dash = dashes[(index - 1 + Math.floor(index / colours.length)) % dashes.length]!;
    const style =
      index === 0 ? { stroke, strokeWidth: 3 } : { stroke, strokeWidth: 2, strokeDasharray: dash };
    return { ...objective, label: objectiveLabel(objective), style };
  });
}

/** Says, where a run has several objectives, which one a caption is about; begins with a space. */
export function shownNote({ objectives }: RunAnalysis): string {
  return objectives.length > 1 ? ` Shown: ${objectiveLabel(objectives[0]!)} loss.` : '';
}
