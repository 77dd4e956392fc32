/** Normalisation: statistics of the training part, and what becomes of the data with them. */
export {
  type ChannelCounts,
  type ChannelMeasurement,
  channelsJson,
  compareStatistics,
  countValues,
  imagenetStatistics,
  type MeasureChannelsOptions,
  measureChannels,
  statisticsOf,
} from './channels.js';
export type {
  CategoricalColumnPlan,
  ColumnPlan,
  DroppedColumnPlan,
  NumericColumnPlan,
  Straightening,
} from './columns.js';
export { applyRows, fitRows, type RowNormaliser, rowNormaliserFrom } from './fit.js';
export {
  type ChannelCurve,
  channelCurves,
  drawHistograms,
  type HistogramOptions,
  histogramLines,
} from './histogram.js';
export { type FitTableOptions, fitTable, TableNormaliser, type TableNormaliserJson } from './table.js';
export {
  type FitVocabularyOptions,
  fitVocabulary,
  TextNormaliser,
  type TextNormaliserJson,
  wordsOf,
} from './text.js';
