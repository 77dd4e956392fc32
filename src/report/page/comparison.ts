/** The page that compares runs. */
import type { ComparisonData } from '../compare.js';
import { duration, grouped, millions, percent, short } from '../numbers.js';
import { pageOf } from './page.js';
import { card, chart, html, section } from './parts.js';

const cell = (text: string, value?: number | string): string =>
  `<td class="number"${value === undefined ? '' : ` data-value="${value}"`}>${text}</td>`;

const head = (title: string, numeric = true): string =>
  `<th${numeric ? ' class="number"' : ''}><button type="button">${html(title)}</button></th>`;

/** An interval as a bar on the axis that all share, with its middle marked. */
function whisker(score: number, low: number, high: number, [from, to]: readonly [number, number]): string {
  const at = (x: number): string => `${((100 * (x - from)) / (to - from)).toFixed(2)}%`;
  return `<div class="whisker" title="${percent(low)} to ${percent(high)}"><i style="left:${at(low)};width:calc(${at(high)} - ${at(low)})"></i><b style="left:${at(score)}"></b></div>`;
}

function results({ runs, noun }: ComparisonData): string {
  const known = runs.flatMap(({ interval }) => (interval === null ? [] : [interval.low, interval.high]));
  const axis = [Math.min(...known), Math.max(...known)] as const;
  const rows = runs.map((run, i) => {
    const { score, interval } = run;
    const bar = score === null || interval === null ? '' : whisker(score, interval.low, interval.high, axis);
    return `<tr><td><i class="key" style="background:var(--run-${i % 6})"></i>${html(run.label)}</td>${cell(score === null ? html(run.state) : percent(score), score ?? -1)}<td class="wide-cell">${bar}</td>${cell(run.logLoss === null ? '–' : run.logLoss.toFixed(3), run.logLoss ?? 1e9)}${cell(run.calibrationError === null ? '–' : percent(run.calibrationError), run.calibrationError ?? 1e9)}${cell(run.test === null ? 'sealed' : percent(run.test), run.test ?? -1)}${cell(run.epoch === null ? '–' : `${short(run.epoch)} of ${run.epochs}`, run.epoch ?? -1)}${cell(duration(run.seconds), run.seconds)}${cell(run.perSecond === null ? '–' : grouped(run.perSecond), run.perSecond ?? -1)}${cell(run.parameters === null ? '–' : millions(run.parameters), run.parameters ?? -1)}</tr>`;
  });
  return section(
    'results',
    'Results',
    card(
      '',
      `<div class="scroll"><table class="sortable"><thead><tr>${head('run', false)}${head('validation')}<th>95 %</th>${head('log loss')}${head('calibration')}${head('test')}${head('epoch')}${head('training')}${head(`${noun}s/s`)}${head('parameters')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
    ),
  );
}

const sign = (x: number): string => `${x > 0 ? '+' : x < 0 ? '−' : ''}${Math.abs(100 * x).toFixed(1)}`;

function differences({ runs, pairs, noun, hardest }: ComparisonData): string {
  if (pairs.length === 0) return '';
  const name = (i: number): string => html(runs[i]?.label ?? '');
  const rows = pairs.map(
    ({ first, second, both, onlyFirst, onlySecond, neither, difference, interval, pValue }) =>
      `<tr><td>${name(second)} against ${name(first)}</td>${cell(`${sign(difference)}`, difference)}${cell(`${sign(interval.low)} to ${sign(interval.high)}`, interval.low)}${cell(pValue < 0.001 ? '&lt; 0.001' : pValue.toPrecision(2), pValue)}${cell(grouped(onlySecond), onlySecond)}${cell(grouped(onlyFirst), onlyFirst)}${cell(grouped(both), both)}${cell(grouped(neither), neither)}</tr>`,
  );
  const hard =
    hardest.length === 0
      ? ''
      : `<details><summary>${grouped(hardest.length)} ${noun}${hardest.length === 1 ? '' : 's'} that no run gets right</summary><ul>${hardest
          .slice(0, 200)
          .map((one) => `<li>${html(one)}</li>`)
          .join('')}</ul></details>`;
  return section(
    'differences',
    'Is it a difference?',
    card(
      '',
      `<div class="scroll"><table class="sortable"><thead><tr>${head('runs', false)}${head('points')}${head('95 %')}${head('p')}${head('only the first named')}${head('only the other')}${head('both right')}${head('neither')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>${hard}`,
      `All were validated on the same ${noun}s, so they are compared ${noun} by ${noun}: the interval is a bootstrap that keeps the pairs, p is McNemar's exact test.`,
    ),
  );
}

function settings({ runs, settings: all }: ComparisonData): string {
  if (all.length === 0)
    return section('settings', 'Settings that differ', card('', '<p>None: the runs have the same settings.</p>'));
  const rows = all.map(
    ({ name, values }) =>
      `<tr><td class="name">${html(name)}</td>${values.map((value) => `<td>${html(value)}</td>`).join('')}</tr>`,
  );
  return section(
    'settings',
    'Settings that differ',
    card(
      '',
      `<div class="scroll"><table><thead><tr><th></th>${runs.map(({ label }) => `<th>${html(label)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
    ),
  );
}

function classes({ runs, classes: names }: ComparisonData): string {
  const scored = runs.filter(({ recall }) => recall.length === names.length);
  if (scored.length === 0) return '';
  const rows = names.map((name, i) => {
    const values = scored.map(({ recall }) => recall[i] as number);
    const spread = Math.max(...values) - Math.min(...values);
    return `<tr><td>${html(name)}</td>${values.map((value) => cell(percent(value), value)).join('')}${cell((100 * spread).toFixed(1), spread)}</tr>`;
  });
  return section(
    'classes',
    'Class by class',
    card(
      '',
      `<div class="scroll${names.length > 18 ? ' tall' : ''}"><table class="sortable"><thead><tr>${head('class', false)}${scored.map(({ label }) => head(label)).join('')}${head('apart')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
      'Recall: how many of each class are recognised. The last column: points between the best and the worst.',
    ),
  );
}

const style = `<style>
:root { --run-0: var(--validation); --run-1: var(--train); --run-2: var(--third); --run-3: var(--fourth); --run-4: var(--wrong); --run-5: var(--fifth); }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 8px; }
td.wide-cell { min-width: 170px; }
.whisker { position: relative; height: 18px; margin: 3px 8px; }
.whisker i { position: absolute; top: 7px; height: 4px; border-radius: 2px; background: var(--soft); opacity: .5; }
.whisker b { position: absolute; top: 3px; width: 12px; height: 12px; margin-left: -6px; border-radius: 6px; background: var(--accent); }
</style>`;

const script = `
const place = (id) => document.getElementById(id);
const seriesOf = (pick) => report.runs.map((run, i) => ({ name: run.label, colour: '--run-' + i % 6, ...pick(run) })).filter(({ x }) => x.length > 0);
const charts = [
  ['chart-accuracy', 'Validation accuracy by epoch', 'epoch', (v) => percent(v, 0), ({ curves }) => ({ x: curves.epoch, y: curves.validationAccuracy, format: percent, points: true })],
  ['chart-loss', 'Validation loss by epoch', 'epoch', short, ({ curves }) => ({ x: curves.epoch, y: curves.validationLoss, points: true })],
  ['chart-train', 'Training loss by epoch', 'epoch', short, ({ curves }) => ({ x: curves.epoch, y: curves.trainLoss, points: true })],
  ['chart-rate', 'Learning rate by step', 'step', short, ({ steps }) => ({ x: steps.step, y: steps.learningRate })],
];
for (const [id, title, xLabel, format, pick] of charts) {
  const series = seriesOf(pick);
  if (series.length > 0) lineChart(place(id), { title, xLabel, whole: true, format, series, ...(id === 'chart-rate' ? { yMin: 0 } : {}) });
}
document.documentElement.dataset.ready = 'true';
`;

/** The page as text. */
export function comparisonPage(data: ComparisonData): string {
  const { runs, headline, sentences } = data;
  const curves = section(
    'curves',
    'Curves',
    `<div class="half">${card('Validation accuracy', chart('chart-accuracy'))}${card('Validation loss', chart('chart-loss'))}${card('Training loss', chart('chart-train'))}${card('Learning rate', chart('chart-rate'))}</div>`,
  );
  const sections: [string, string, string][] = [
    ['results', 'Results', results(data)],
    ['differences', 'Differences', differences(data)],
    ['curves', 'Curves', curves],
    ['settings', 'Settings', settings(data)],
    ['classes', 'Classes', classes(data)],
  ];
  const there = sections.filter(([, , content]) => content !== '');
  const body = `${style}<header class="wide"><h1>${runs.length} runs compared</h1><p>${html([...new Set(runs.map((run) => run.data))].join(', '))}</p>
<div class="headline">${html(headline)}</div><div class="verdict">${sentences.map((text) => `<p>${html(text)}</p>`).join('')}</div></header>
<div class="bar-top"><div class="wide"><nav aria-label="Sections">${there.map(([id, name]) => `<a href="#${id}">${name}</a>`).join('')}</nav></div></div>
<main class="wide">
${there.map(([, , content]) => content).join('\n')}
</main>
<footer class="wide">Made by Praxis from ${runs.length} run folders: ${html(runs.map(({ folder }) => folder).join(', '))}. All figures of this page stand in it as JSON, too.</footer>`;
  return pageOf({ title: `${runs.map(({ label }) => label).join(', ')}: compared`, body, data, pictures: {}, script });
}
