/** Normalisation: statistics of the training part, and what becomes of the data with them. */
export {
  type ChannelCounts,
  type ChannelMeasurement,
  compareStatistics,
  countValues,
  imagenetStatistics,
  type MeasureChannelsOptions,
  measureChannels,
  statisticsOf,
} from './channels.js';
