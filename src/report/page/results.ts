/** Sections about how good the chosen weights are, and where they fail. */
import type { Figures, MultiLabelFigures, Said } from '../figures.js';
import { counted, grouped, percent } from '../numbers.js';
import type { Pictures, Shown } from '../pictures.js';
import type { ReportData } from '../report-data.js';
import { confidenceSentence } from '../verdict.js';
import { card, chart, figure, html, saidNote, section, sureNote, unsureNote } from './parts.js';

const listed = 14;

/** The matrix, and beside it the list of what is confused most. */
export function confusionSection({ data }: ReportData, figures: Figures): string {
  const { classes, noun } = data;
  const rows = figures.confusions.slice(0, listed).map(({ target, predicted, count }) => {
    const of = figures.perClass[target]?.support ?? 0;
    return `<li><button type="button" data-confusion="${target},${predicted}"><span>${html(classes[target] ?? '')} taken for <b>${html(classes[predicted] ?? '')}</b></span><span class="amount">${grouped(count)} of ${grouped(of)}</span></button></li>`;
  });
  const list =
    rows.length === 0
      ? '<p class="more">No mistake was made.</p>'
      : `<h3>Most frequent mistakes</h3><ul class="list">${rows.join('')}</ul>${figures.confusions.length > listed ? `<p class="more">and ${grouped(figures.confusions.length - listed)} rarer ones</p>` : ''}`;
  const note = `Each row is a class, each column what its ${noun}s were taken for: blue is right, red is wrong. Touch a cell, or go there with the arrow keys; a click or Enter shows its ${noun}s.`;
  return section(
    'confusion',
    'What it confuses',
    card(
      '',
      `<div class="matrix-grid${classes.length > 40 ? ' many' : classes.length > 12 ? '' : ' few'}">${chart('chart-matrix')}<div>${list}</div></div>`,
      note,
    ),
  );
}

function strip(
  names: readonly string[],
  said: ReadonlyMap<string, Said>,
  classes: readonly string[],
  pictures: Pictures,
  note: (one: Said, classes: readonly string[]) => string,
  labelled = true,
): string {
  const found = names.flatMap((name) => said.get(name) ?? []);
  return `<div class="strip">${found.map((one) => figure(one, classes, note(one, classes), pictures.urls.has(one.name), labelled)).join('')}</div>`;
}

/** The same without pictures: a table of names. */
function named(names: readonly string[], said: ReadonlyMap<string, Said>, classes: readonly string[]): string {
  const rows = names
    .flatMap((name) => said.get(name) ?? [])
    .map(
      ({ name, target, predicted, confidence, ofTarget }) =>
        `<tr><td>${html(name)}</td><td>${html(classes[target] ?? '')}</td><td>${html(classes[predicted] ?? '')}</td><td class="number">${percent(confidence)}</td><td class="number">${percent(ofTarget)}</td></tr>`,
    );
  return `<div class="scroll tall"><table><thead><tr><th>name</th><th>is</th><th>taken for</th><th class="number">sure</th><th class="number">of the right one</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

export function mistakesSection(
  { data }: ReportData,
  figures: Figures,
  shown: Shown,
  pictures: Pictures,
  said: ReadonlyMap<string, Said>,
): string {
  const { classes, noun } = data;
  const some = pictures.urls.size > 0;
  const missing =
    some || data.noun !== 'picture'
      ? ''
      : `<div class="card"><p>The pictures themselves are not shown: ${html(pictures.problem ?? 'none could be read')}</p></div>`;
  const pairs = shown.pairs.map(({ target, predicted, count, mistaken, examples }) => {
    const [from, to] = [classes[target] ?? '', classes[predicted] ?? ''];
    const of = figures.perClass[target]?.support ?? 0;
    const left = `<div><h4>${html(from)}, taken for ${html(to)}</h4>${strip(mistaken, said, classes, pictures, sureNote, false)}</div>`;
    const right =
      examples.length === 0
        ? ''
        : `<div><h4>true ${html(to)}</h4>${strip(examples, said, classes, pictures, sureNote, false)}</div>`;
    return `<div class="card pair"><h3>${html(from)} → ${html(to)}<small>${grouped(count)} of ${grouped(of)}</small></h3><div class="rows">${left}${right}</div></div>`;
  });
  const worst =
    figures.mistakes.length === 0
      ? ''
      : card(
          `The surest mistakes`,
          some ? strip(shown.worst, said, classes, pictures, saidNote) : named(shown.worst, said, classes),
          `${counted(figures.mistakes.length, 'mistake')} in all; here those it was the surest of. Look for wrong labels among them first.`,
        );
  const unsure = card(
    'The most unsure',
    some ? strip(shown.unsure, said, classes, pictures, unsureNote) : named(shown.unsure, said, classes),
    `The two most probable classes are nearly as probable. A ${noun} that a person finds hard, too, is worth a second look.`,
  );
  return section(
    'mistakes',
    'Where it fails',
    `${missing}${some && pairs.length > 0 ? `<div class="pairs">${pairs.join('')}</div>` : ''}${worst}${unsure}`,
  );
}

export function calibrationSection(figures: Figures, chosen: ReportData['chosen']): string {
  const { temperature, logLoss } = chosen?.calibration ?? {};
  const divided =
    temperature === undefined || logLoss === undefined
      ? ''
      : ` After training it was ${temperature < 1 ? 'less sure' : 'surer'} than it was right; its logits were divided by ${temperature.toFixed(2)} (temperature), by which the log loss went from ${logLoss.before.toFixed(3)} to ${logLoss.after.toFixed(3)}, on pictures that the number was not fitted to.`;
  const note = `${confidenceSentence(figures)}${divided} Bars: how often it is right; orange: how sure it says it is; where it knows itself, they meet on the dashed line. Expected calibration error: ${percent(figures.calibrationError)} (15 bins).`;
  return section(
    'calibration',
    'Whether it knows how sure it may be',
    `<div class="half">${card('How often it is right, by how sure it is', chart('chart-reliability'), note)}${card('If it may leave the unsure ones to a person', chart('chart-coverage'), 'Where only the answers it is surest of are taken, and a person looks at the rest: how many of those taken are right.')}</div>`,
  );
}

const meter = (value: number): string =>
  `<span class="meter"><i style="width:${(100 * value).toFixed(0)}%"></i></span>`;

const head = (title: string, numeric = true): string =>
  `<th${numeric ? ' class="number"' : ''}><button type="button">${html(title)}</button></th>`;

export function classesSection({ data }: ReportData, figures: Figures | MultiLabelFigures): string {
  const { classes, noun } = data;
  const cell = (value: number): string =>
    `<td class="number" data-value="${Number.isNaN(value) ? -1 : value}">${percent(value)}</td>`;
  const rows = figures.perClass.map((one, i) => {
    const extra =
      'averagePrecision' in one
        ? cell(one.averagePrecision)
        : `<td class="number" data-value="${one.recallInterval.low}">${one.support === 0 ? '–' : `${percent(one.recallInterval.low, 0)} to ${percent(one.recallInterval.high, 0)}`}</td>`;
    return `<tr><td>${html(classes[i] ?? '')}</td><td class="number" data-value="${one.support}">${grouped(one.support)}</td><td class="number" data-value="${one.recall}">${one.support === 0 ? '–' : percent(one.recall)}${meter(one.recall)}</td>${extra}${cell(one.precision)}${cell(one.f1)}</tr>`;
  });
  const fourth = figures.kind === 'many labels' ? 'average precision' : 'recall, 95 %';
  const table = `<div class="scroll${rows.length > 18 ? ' tall' : ''}"><table class="sortable"><thead><tr>${head('class', false)}${head(`${noun}s`)}${head('recall')}${head(fourth)}${head('precision')}${head('F1')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
  return section(
    'classes',
    'Class by class',
    card(
      '',
      table,
      `Of the validation part. Recall: how many ${noun}s of the class are recognised. Precision: how many of those taken for it are of it.`,
    ),
  );
}
