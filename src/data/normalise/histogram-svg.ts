/** The half of drawing histograms that needs Apache ECharts; loaded when the first picture is asked for. */
import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { ChannelCurve, HistogramOptions } from './histogram.js';

use([LineChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

interface Panels {
  readonly before: readonly ChannelCurve[];
  readonly after: readonly ChannelCurve[];
}

/** Bins as steps: each from its left edge to its right one, on the ground at both ends. */
function steps({ x, y }: ChannelCurve): [number, number][] {
  const width = (x[1] as number) - (x[0] as number);
  const edges = x.flatMap((middle, i): [number, number][] => [
    [middle - width / 2, y[i] as number],
    [middle + width / 2, y[i] as number],
  ]);
  const [first, last] = [edges[0], edges[edges.length - 1]] as [[number, number], [number, number]];
  return [[first[0], 0], ...edges, [last[0], 0]];
}

const meanOf = ({ x, y }: ChannelCurve): number =>
  x.reduce((sum, middle, i) => sum + middle * (y[i] as number), 0) / y.reduce((sum, share) => sum + share, 0);

export function renderHistograms({ before, after }: Panels, options: HistogramOptions): string {
  const { title = 'Channels of the training part', width = 840, height = 380 } = options;
  const middle = Math.round(width / 2);
  const grid = { top: 64, bottom: 66 };
  const axis = (index: number, name: string, range: readonly [number, number]) => ({
    type: 'value',
    gridIndex: index,
    name,
    nameLocation: 'middle',
    nameGap: 26,
    min: range[0],
    max: range[1],
    splitLine: { show: false },
    axisLine: { onZero: false },
  });
  const ends = after.flatMap(({ x }) => [x[0] as number, x[x.length - 1] as number]);
  // Whole deviations, the same on both sides, so that 0 is the middle.
  const furthest = Math.min(6, Math.ceil(Math.max(...ends.map(Math.abs))));
  const series = [before, after].flatMap((curves, panel) =>
    curves.map((curve, i) => ({
      type: 'line',
      name: curve.name,
      xAxisIndex: panel,
      yAxisIndex: panel,
      symbol: 'none',
      data: steps(curve),
      clip: true,
      lineStyle: { width: 1.5, color: curve.colour },
      itemStyle: { color: curve.colour },
      areaStyle: { color: curve.colour, opacity: 0.12 },
      // Left the mean of each channel; right what all have in common.
      ...(panel === 0 || i === 0
        ? {
            markLine: {
              symbol: 'none',
              silent: true,
              label: { show: false },
              lineStyle: { color: panel === 0 ? curve.colour : '#64748b', type: 'dashed' },
              data: panel === 0 ? [{ xAxis: meanOf(curve) }] : [-1, 0, 1].map((x) => ({ xAxis: x })),
            },
          }
        : {}),
    })),
  );
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  const small = { fontSize: 12, fontWeight: 'normal', color: '#475569' };
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: [
      { text: title, left: 'center', top: 6, textStyle: { fontSize: 13, fontWeight: 'normal' } },
      { text: 'before', left: Math.round(width / 4) + 12, top: 34, textAlign: 'center', textStyle: small },
      { text: 'after', left: Math.round((3 * width) / 4) + 12, top: 34, textAlign: 'center', textStyle: small },
    ],
    legend: { bottom: 4, data: before.map(({ name }) => name), icon: 'roundRect', itemHeight: 8 },
    grid: [
      { ...grid, left: 48, right: middle + 12 },
      { ...grid, left: middle + 36, right: 24 },
    ],
    xAxis: [axis(0, 'value, 0 to 1', [0, 1]), axis(1, '(value − mean) / deviation', [-furthest, furthest])],
    yAxis: [0, 1].map((index) => ({
      type: 'value',
      gridIndex: index,
      min: 0,
      axisLabel: { fontSize: 10 },
      axisLine: { onZero: false },
    })),
    series,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
