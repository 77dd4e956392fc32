/** Histograms of the channels before and after normalisation: as a line of text each, and as a picture. */
import { DataError } from '../errors.js';
import type { ChannelMeasurement } from './channels.js';

export interface HistogramOptions {
  /** What stands above the picture. */
  readonly title?: string;
  /** In pixels; 840 × 380 by default. */
  readonly width?: number;
  readonly height?: number;
}

/** One channel as a curve: how much of it lies where. */
export interface ChannelCurve {
  readonly name: string;
  readonly colour: string;
  /** Middles of the bins. */
  readonly x: readonly number[];
  /** Density: share of the values per unit of x, so that the area under the curve is 1. */
  readonly y: readonly number[];
}

/** Eight grey values in a bin: fewer would show the gaps that JPEG's arithmetic leaves. */
const perBin = 8;

const names: Readonly<Record<number, readonly (readonly [string, string])[]>> = {
  1: [['luma', '#475569']],
  3: [
    ['red', '#dc2626'],
    ['green', '#059669'],
    ['blue', '#2563eb'],
  ],
};

type Measured = Pick<ChannelMeasurement, 'counts' | 'mean' | 'std'>;

const channelName = (measurement: Measured, channel: number): readonly [string, string] =>
  names[measurement.counts.length]?.[channel] ?? [`channel ${channel}`, '#475569'];

function binned(counts: Float64Array, width: number): number[] {
  const bins = new Array<number>(256 / width).fill(0);
  for (const [value, count] of counts.entries())
    bins[Math.floor(value / width)] = (bins[Math.floor(value / width)] as number) + count;
  return bins;
}

/** The curves of all channels: of values from 0 to 1, or (`after`) less their mean and divided by their deviation. */
export function channelCurves(measurement: Measured, after: boolean): ChannelCurve[] {
  return measurement.counts.map((counts, channel) => {
    const [name, colour] = channelName(measurement, channel);
    const [mean, std] = after ? [measurement.mean[channel] as number, measurement.std[channel] as number] : [0, 1];
    const bins = binned(counts, perBin);
    const all = bins.reduce((sum, count) => sum + count, 0);
    const width = perBin / 255 / std;
    const x = bins.map((_, bin) => ((bin * perBin + (perBin - 1) / 2) / 255 - mean) / std);
    return { name, colour, x, y: bins.map((count) => count / all / width) };
  });
}

/**
 * An SVG of the histograms of the channels, left as they come and right as they enter the network.
 * @param measurement what `measureChannels` gave
 */
export async function drawHistograms(measurement: Measured, options: HistogramOptions = {}): Promise<string> {
  for (const name of ['width', 'height'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value >= 100))
      throw new DataError(`drawHistograms: ${name} is a number of pixels from 100 on, got ${String(value)}.`);
  }
  const { renderHistograms } = await import('./histogram-svg.js');
  return renderHistograms(
    { before: channelCurves(measurement, false), after: channelCurves(measurement, true) },
    options,
  );
}

const blocks = ' ▁▂▃▄▅▆▇█';

/** A line for each channel: name, mean, deviation, and 32 bins from dark to light. */
export function histogramLines(measurement: Measured): string[] {
  const rows = measurement.counts.map((counts, channel) => {
    const bins = binned(counts, perBin);
    const highest = Math.max(...bins);
    const bars = bins.map((count) => (count === 0 ? ' ' : blocks[Math.max(1, Math.round((8 * count) / highest))]));
    const [name] = channelName(measurement, channel);
    return { name, bars: bars.join('') };
  });
  const widest = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, bars }, channel) => {
    const [mean, std] = [measurement.mean[channel] as number, measurement.std[channel] as number];
    return `${name.padEnd(widest)}  mean ${mean.toFixed(4)}  deviation ${std.toFixed(4)}  0▕${bars}▏1`;
  });
}
