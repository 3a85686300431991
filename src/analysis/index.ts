export { accuracyOf } from './use/accuracy.js';
export type { Accuracy, AccuracyFinding, ObjectiveAccuracy } from './use/accuracy.js';
export type { CertaintyAnalysis } from './certainty.js';
export { beyondRepeats, comparabilityOf } from './comparison/comparable.js';
export type { Comparability, RunDifference } from './comparison/comparable.js';
export {
  type BearingDifference,
  differencesIn,
  notesInWords,
  obstaclesInWords,
} from './comparison/verdicts.js';
export type { ComponentTotals } from './components.js';
export type { Coverage, LeftOut, Share } from './coverage.js';
export { partsOfOneKind } from './parts/one-kind.js';
export type { PartTimes } from './parts/times.js';
export type { PartTotal, PartTotals } from './parts/parts.js';
export { auditObjective, balanceLimitPercent, balanceOfSums } from './conservation.js';
export type { Balance, Conservation, RuleError } from './conservation.js';
export { analyseDistribution } from './rows/distribution.js';
export type { Distribution, SideDistribution } from './rows/distribution.js';
export type { Extreme, Extremes } from './rows/extremes.js';
export type { Cells, FirstLayer } from './rows/first-layer.js';
export { analyseLayers, analyseLoss } from './objective.js';
export type { LayerTotal, LossAnalysis, ObjectiveAnalysis, RowAnalysis } from './objective.js';
export { overfitting } from './overfitting.js';
export { paperCitation, paperPresets, paperRecord } from './paper.js';
export type { PaperErrors, PaperRecord } from './paper.js';
export { analyseRun } from './run.js';
export type { AnalyseOptions, RunAnalysis } from './run.js';
export type { HelpingInterval, SamplingAnalysis } from './sampling.js';
export { analyseShares, sharesOf } from './shares.js';
export type { Counts, ShareAnalysis, Shares } from './shares.js';
export { summarise } from './summary.js';
export type { CountStatistics, RunExtent, RunSummary } from './summary.js';
export {
  layersOverRuns,
  type LayerOverRuns,
  type LayersAnalysis,
  type LayersOverRuns,
  type NamedLayers,
} from './layers/layers.js';
export type { ClassAnalysis, Conflict, LayerClasses } from './neurons/classes.js';
export type { PairCorrelation, PairKind } from './neurons/curve-set.js';
export type { KernelCorrelation, NeuronsAnalysis } from './neurons/neurons.js';
export type { Saliency, SaliencyMap } from './neurons/saliency.js';
export type { Alternation, NoiseAnalysis, ShareHistogram, Walk } from './noise/noise.js';
export type { Pair } from './noise/signs.js';
export type { LayerTurns, OscillationAnalysis, Turns } from './oscillation/turns.js';
export type { TwoSampleTest } from './statistics/kolmogorov.js';
export { type MeanTest, studentT, type StudentT } from './statistics/t-test.js';
export { type Moment, momentLimit, MomentWatch } from './synchrony/moments.js';
export type { NullModel } from './synchrony/nulls.js';
export type { GroupMoments, Synchrony, SynchronyAnalysis } from './synchrony/synchrony.js';
export type { Carriers, Concentration, TailShare } from './tails/concentration.js';
export type { Fit, Fits } from './tails/fits.js';
export type { Density, TailsAnalysis, TailsOf } from './tails/tails.js';
export type { RowProgress, ThetaRows } from './themes/sweep.js';
export { type ThemeName, themeNames } from './themes/names.js';
export { analyseThemes, type ThemeAnalyses, type ThemeOptions, type ThemeRecords } from './themes/themes.js';
export type { NeuronMap, NeuronMaps } from './trajectories/neuron-map.js';
export type { ParameterPath, ParameterPaths } from './trajectories/parameters.js';
export type { LossPaths, TrajectoriesAnalysis } from './trajectories/trajectories.js';
export type { FreezeEvidence, Overfitting, OverfitLayer, UseAnalysis } from './use/use.js';
export { toyLoss, toyPath, type ToyPath, toySlopes } from './trajectories/toy.js';
