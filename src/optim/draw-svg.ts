/** The half of drawing that needs Apache ECharts; loaded when the first picture is asked for. */
import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Drawing } from './draw.js';
import { shortNumber } from './draw.js';

use([LineChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

const palette = ['#2563eb', '#d97706', '#059669', '#9333ea', '#dc2626'];

type Point = [number, number];

const points = (x: readonly number[], y: readonly number[]): Point[] =>
  x.map((value, i): Point => [value, y[i] as number]).filter(([, value]) => Number.isFinite(value));

/** A band is drawn as two curves stacked: an invisible lower edge, and the difference as an area above it. */
function bandSeries(band: NonNullable<Drawing['band']>): object[] {
  const edge = {
    type: 'line',
    stack: 'band',
    stackStrategy: 'all',
    symbol: 'none',
    lineStyle: { opacity: 0 },
    silent: true,
  };
  const heights = band.high.map((high, i) => high - (band.low[i] as number));
  return [
    { ...edge, data: points(band.x, band.low) },
    { ...edge, data: points(band.x, heights), areaStyle: { color: palette[0], opacity: 0.15 } },
  ];
}

export function renderSvg(drawing: Drawing): string {
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: drawing.width ?? 720,
    height: drawing.height ?? 360,
  });
  const several = drawing.lines.length > 1;
  const formatter = (value: number) => shortNumber(value);
  const marks = (drawing.marks ?? []).map(({ x, label }, i) => ({
    xAxis: x,
    // Labels at several heights, so that near ones do not cover each other.
    label: { formatter: label, position: 'insideEndTop', distance: [4, 4], color: '#334155', offset: [0, (i % 4) * 2] },
  }));
  chart.setOption({
    animation: false,
    title: { text: drawing.title, left: 'center', textStyle: { fontSize: 13, fontWeight: 'normal' } },
    ...(several ? { legend: { bottom: 0, data: drawing.lines.map((line) => line.name) } } : {}),
    grid: { left: 70, right: 24, top: 36, bottom: several ? 72 : 48 },
    xAxis: {
      type: drawing.logX ? 'log' : 'value',
      name: drawing.xLabel,
      nameLocation: 'middle',
      nameGap: 28,
      min: 'dataMin',
      max: 'dataMax',
      axisLabel: { formatter },
    },
    yAxis: {
      type: 'value',
      name: drawing.yLabel,
      nameLocation: 'middle',
      nameGap: 50,
      axisLabel: { formatter },
      ...(drawing.yRange ? { min: drawing.yRange[0], max: drawing.yRange[1] } : {}),
    },
    series: [
      ...(drawing.band ? bandSeries(drawing.band) : []),
      ...drawing.lines.map((line, i) => ({
        type: 'line',
        name: line.name,
        symbol: 'none',
        data: points(line.x, line.y),
        clip: true,
        lineStyle: { width: 2, color: palette[i % palette.length] },
        itemStyle: { color: palette[i % palette.length] },
        ...(i === 0 && marks.length > 0
          ? {
              markLine: {
                symbol: 'none',
                silent: true,
                precision: 12,
                data: marks,
                lineStyle: { color: '#64748b', type: 'dashed' },
              },
            }
          : {}),
      })),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
