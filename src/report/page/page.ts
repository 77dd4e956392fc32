/** The report as one HTML file that needs nothing else: no network, no other file. */

import { stringifyPlain } from '../../track/json.js';
import type { Said } from '../figures.js';
import { counted, grouped, percent } from '../numbers.js';
import type { Pictures, Shown } from '../pictures.js';
import type { ReportData } from '../report-data.js';
import { adviceSection, curvesSection, dataSection, settingsSection, useSection } from './about.js';
import { overfittingSection } from './overfitting.js';
import { html, prose } from './parts.js';
import { calibrationSection, classesSection, confusionSection, mistakesSection } from './results.js';
import { scriptLines } from './script-lines.js';
import { scriptMatrix } from './script-matrix.js';
import { scriptPage, scriptReport } from './script-page.js';
import { scriptTools } from './script-tools.js';
import { reportStyle } from './style.js';

/** JSON inside of HTML: no tag may end in it. */
export const embedded = (id: string, value: unknown): string =>
  `<script type="application/json" id="${id}">${stringifyPlain(value).replaceAll('<', '\\u003c')}</script>`;

export interface PageParts {
  readonly title: string;
  readonly body: string;
  readonly data: unknown;
  readonly pictures: Readonly<Record<string, string>>;
  readonly script: string;
}

/** A whole page around its parts. */
export function pageOf({ title, body, data, pictures, script }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)}</title>
<link rel="icon" href="data:,">
<style>${reportStyle}</style>
</head>
<body>
${body}
<noscript><div class="wide"><div class="card">The charts and pictures of this page are drawn by its own script, which your browser does not run.</div></div></noscript>
${embedded('praxis-report', data)}
${embedded('praxis-pictures', pictures)}
<script>${scriptTools}${scriptLines}${scriptMatrix}${scriptPage}${script}</script>
</body>
</html>
`;
}

interface Tile {
  readonly value: string;
  readonly what: string;
  readonly more?: string;
}

const between = ({ low, high }: { low: number; high: number }): string => `95 %: ${percent(low)} to ${percent(high)}`;

function tilesOf({ figures, tests, data, human, curves }: ReportData): Tile[] {
  const tiles: Tile[] = [];
  if (figures?.kind === 'one label') {
    tiles.push({
      value: percent(figures.accuracy),
      what: 'validation accuracy',
      more: between(figures.intervals.accuracy as { low: number; high: number }),
    });
    if (figures.top5 !== undefined && data.classes.length >= 20)
      tiles.push({ value: percent(figures.top5), what: 'right one among its five guesses' });
    tiles.push({
      value: percent(figures.balancedAccuracy),
      what: 'each class counted alike',
      more: 'balanced accuracy',
    });
  } else if (figures !== null)
    tiles.push(
      { value: percent(figures.meanAveragePrecision), what: 'mean average precision' },
      { value: percent(figures.exactMatch), what: 'all labels right' },
    );
  else if (curves.epoch.length > 0)
    tiles.push({ value: percent(Math.max(...curves.validationAccuracy)), what: 'best validation so far' });
  const [test] = tests;
  if (test !== undefined && test.score !== null)
    tiles.push({
      value: percent(test.score),
      what: tests.length === 1 ? 'test, opened once' : `test, the first of ${tests.length} times`,
      ...(test.interval === null ? {} : { more: between(test.interval) }),
    });
  else if (data.test > 0) tiles.push({ value: 'sealed', what: `test part of ${grouped(data.test)}` });
  if (human !== null)
    tiles.push({
      value: percent(human.accuracy, 0),
      what: `a person, on ${counted(human.of, data.noun)}`,
      ...(human.net === null ? {} : { more: `the network on those: ${percent(human.net.accuracy, 0)}` }),
    });
  if (figures?.kind === 'one label')
    tiles.push({
      value: percent(figures.calibrationError),
      what: 'calibration error',
      more: 'between how sure it is and how often it is right',
    });
  return tiles;
}

const namesShown = 12;

function head(report: ReportData): string {
  const { run, data, model, verdict, problems } = report;
  const tiles = tilesOf(report).map(
    ({ value, what, more }) =>
      `<div class="tile"><b>${html(value)}</b><span>${html(what)}</span>${more === undefined ? '' : `<small>${prose(more)}</small>`}</div>`,
  );
  const state = run.state === 'finished' ? '' : ` · ${run.state}`;
  // Whoever was not there does not know what was to be told apart.
  const rest = data.classes.length - namesShown;
  const names = `${data.classes.slice(0, namesShown).join(', ')}${rest > 0 ? ` and ${grouped(rest)} more` : ''}`;
  const classes = data.classes.length === 0 ? '' : ` · tells apart: ${names}`;
  return `<header class="wide"><h1>${html(data.name)} · ${html(model.name || run.name)}</h1><p>${html(run.folder.split(/[\\/]/).pop() ?? '')}${state}${html(classes)}</p>
<div class="headline">${html(verdict.headline)}</div>
<div class="verdict">${verdict.sentences.map((text) => `<p>${prose(text)}</p>`).join('')}${problems.map((text) => `<p>${html(text)}</p>`).join('')}</div>
<div class="tiles">${tiles.join('')}</div></header>`;
}

/** The page of one run. */
export function reportPage(
  report: ReportData,
  shown: Shown | undefined,
  pictures: Pictures,
  said: ReadonlyMap<string, Said>,
  samples: Buffer | undefined,
): string {
  const { figures } = report;
  const one = figures?.kind === 'one label' ? figures : undefined;
  const sections: [string, string, string][] = [
    ['next', 'Next', adviceSection(report)],
    ['curves', 'Curves', curvesSection(report)],
    ['overfitting', 'By heart', overfittingSection(report, pictures)],
    ['confusion', 'Confusions', one === undefined ? '' : confusionSection(report, one)],
    [
      'mistakes',
      'Mistakes',
      one === undefined || shown === undefined ? '' : mistakesSection(report, one, shown, pictures, said),
    ],
    ['calibration', 'Confidence', one === undefined ? '' : calibrationSection(one, report.chosen)],
    ['classes', 'Classes', figures === null ? '' : classesSection(report, figures)],
    [
      'data',
      'Data',
      dataSection(report, samples === undefined ? '' : `data:image/jpeg;base64,${samples.toString('base64')}`),
    ],
    ['use', 'Use', useSection(report)],
    ['settings', 'Settings', settingsSection(report)],
  ];
  const there = sections.filter(([, , content]) => content !== '');
  const body = `${head(report)}
<div class="bar-top"><div class="wide"><nav aria-label="Sections">${there.map(([id, name]) => `<a href="#${id}">${name}</a>`).join('')}</nav></div></div>
<main class="wide">
${there.map(([, , content]) => content).join('\n')}
</main>
<footer class="wide">Made by Praxis from the run folder ${html(report.run.folder)}. All figures of this page stand in it as JSON, too.</footer>`;
  return pageOf({
    title: `${report.data.name}: report of ${report.model.name || report.run.name}`,
    body,
    data: report,
    pictures: Object.fromEntries(pictures.urls),
    script: scriptReport,
  });
}
