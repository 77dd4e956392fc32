/** The report as one HTML file that needs nothing else: no network, no other file. */
import { permutation } from '../../data/random.js';
import { counted } from '../../data/split/findings.js';
import type { Dataset, PictureDataset } from '../../data/types.js';
import { writeFileAtomic } from '../../track/atomic.js';
import { type FindingSample, type LookFinding, type LookReport, percent } from '../report.js';
import { fileSize } from '../terminal.js';
import { bars, html, number, share, sizeScatter } from './charts.js';
import { pageScript, pageStyle } from './style.js';
import { type Thumbnail, thumbnails } from './thumbnails.js';

export interface LookPageOptions {
  /** Pictures (or texts) per class. Default 12. */
  readonly samples?: number;
  /** Which of them. Default 0. */
  readonly seed?: number;
}

/** Pictures of one finding, and groups of copies, that are shown. */
const shownSamples = 24;
const shownGroups = 16;
const membersOfGroup = 6;
/** Pictures of all classes together. */
const mostClassPictures = 480;

interface Shown {
  readonly finding: LookFinding;
  readonly samples: readonly FindingSample[];
}

interface ClassSamples {
  readonly name: string;
  readonly count: number;
  readonly indices: readonly number[];
}

/** Writes the page. @throws FileWriteError */
export async function writeLookPage(
  report: LookReport,
  dataset: Dataset,
  file: string,
  options: LookPageOptions = {},
): Promise<void> {
  await writeFileAtomic(file, await lookPage(report, dataset, options));
}

/** The page as text. The data set is the one the report is about. */
export async function lookPage(report: LookReport, dataset: Dataset, options: LookPageOptions = {}): Promise<string> {
  const { samples = 12, seed = 0 } = options;
  const shown = report.findings.map((finding) => ({ finding, samples: chosen(finding) }));
  const classes = drawn(report, dataset, samples, seed);
  let pictures: Map<number, Thumbnail> | null = null;
  if (dataset.kind === 'pictures') {
    // What is damaged is not opened again.
    const ofFindings = shown
      .filter(({ finding }) => finding.kind !== 'unreadable')
      .flatMap((one) => one.samples.map(({ index }) => index));
    const ofFiles = [...(report.pictures?.smallest ?? []), ...(report.pictures?.largest ?? [])].map(
      ({ index }) => index,
    );
    pictures = await thumbnails(dataset, [...ofFindings, ...ofFiles, ...classes.flatMap(({ indices }) => indices)]);
  }
  const sections = [
    findingsSection(shown, pictures),
    labelsSection(report),
    report.pictures ? picturesSection(report, pictures) : '',
    report.table ? columnsSection(report) : '',
    report.text ? wordsSection(report) : '',
    dataset.kind === 'pictures' ? classSection(dataset, classes, pictures) : '',
    dataset.kind === 'text' ? textSection(dataset, classes) : '',
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(report.name)}: a look at the data</title>
<link rel="icon" href="data:,">
<style>${pageStyle}</style>
</head>
<body>
${head(report)}
<div class="bar-top"><div class="wide">
<nav><a href="#findings">Findings</a><a href="#labels">Labels</a><a href="#facts">Facts</a>${dataset.kind === 'pictures' || dataset.kind === 'text' ? '<a href="#samples">Samples</a>' : ''}</nav>
<input id="search" type="search" placeholder="Search names, classes, findings" aria-label="Search"><span id="found" role="status"></span>
</div></div>
<main class="wide">
${sections.filter((section) => section !== '').join('\n')}
</main>
<footer class="wide">Made by Praxis in ${report.seconds.toFixed(1)} s. The data was read and not changed.</footer>
<script>${pageScript}</script>
</body>
</html>
`;
}

/** The samples of a finding that are shown: of groups the first ones, whole where that is possible. */
function chosen(finding: LookFinding): FindingSample[] {
  if (finding.samples[0]?.group === undefined) return finding.samples.slice(0, shownSamples);
  const members = new Map<number, number>();
  return finding.samples.filter(({ group = 0 }) => {
    const before = members.get(group) ?? 0;
    members.set(group, before + 1);
    return group < shownGroups && before < membersOfGroup;
  });
}

/** Some samples of each class, drawn at random. */
function drawn(report: LookReport, dataset: Dataset, samples: number, seed: number): ClassSamples[] {
  const each = Math.max(1, Math.min(samples, Math.floor(mostClassPictures / Math.max(1, report.classes.length))));
  const wanted = dataset.classes.map((): number[] => []);
  const hidden = report.sealed > 0;
  const bad = new Set(
    report.findings.find(({ kind }) => kind === 'unreadable')?.samples.map(({ index }) => index) ?? [],
  );
  if (!hidden)
    for (const index of permutation(dataset.length, seed, 0)) {
      if (bad.has(index)) continue;
      for (const label of dataset.labels(index)) {
        const own = wanted[label] as number[];
        if (own.length < each) own.push(index);
      }
    }
  const byName = new Map(dataset.classes.map((name, label) => [name, wanted[label] as number[]]));
  return report.classes
    .map(({ name, count }) => ({ name, count, indices: byName.get(name) ?? [] }))
    .filter(({ indices }) => indices.length > 0)
    .slice(0, mostClassPictures);
}

const nouns = { pictures: 'pictures', table: 'rows', text: 'texts', tensors: 'rows' } as const;

function head(report: LookReport): string {
  const count = (severity: string): number => report.findings.filter((one) => one.severity === severity).length;
  const tiles: [string, string][] = [
    [number(report.samples), nouns[report.kind]],
    [number(report.classes.length), 'classes'],
    [
      number(report.findings.length),
      `${report.findings.length === 1 ? 'finding' : 'findings'}: ${counted(count('error'), 'error')}, ${counted(count('warning'), 'warning')}`,
    ],
  ];
  if (report.pictures?.separability)
    tiles.push([
      percent(report.pictures.separability.balancedAccuracy),
      `told apart by colours and edges (guessing: ${percent(report.pictures.separability.chance)})`,
    ]);
  const parts = report.parts
    ? ` · ${Object.entries(report.parts)
        .map(([part, samples]) => `${part} ${number(samples)}`)
        .join(', ')}`
    : '';
  return `<header class="wide"><h1>${html(report.name)}</h1><p>${html(report.root)}${parts}${report.sealed > 0 ? ` · ${number(report.sealed)} sealed samples were passed over` : ''}</p>
<div class="tiles">${tiles.map(([value, what]) => `<div class="tile"><b>${value}</b><span>${html(what)}</span></div>`).join('')}</div></header>`;
}

function figure(sample: FindingSample, pictures: Map<number, Thumbnail>, words = ''): string {
  const picture = pictures.get(sample.index);
  const short = sample.name.split('/').pop() ?? sample.name;
  const inside = picture
    ? `<img src="${picture.url}" alt="${html(sample.name)}"${picture.tiny ? ' class="tiny"' : ''} loading="lazy">`
    : `<div class="none">${html(sample.note ?? 'not shown: the page is full')}</div>`;
  const note =
    sample.note === undefined ? '' : `<span class="note" title="${html(sample.note)}">${html(sample.note)}</span>`;
  return `<figure data-search="${html(`${sample.name} ${sample.note ?? ''} ${words}`.toLowerCase())}" title="${html(sample.name)}"><div class="frame">${inside}</div><figcaption>${note}<span>${html(short)}</span></figcaption></figure>`;
}

function findingsSection(shown: readonly Shown[], pictures: Map<number, Thumbnail> | null): string {
  const cards = shown.map(({ finding, samples }) => {
    const { kind, severity, message, remedy } = finding;
    let strip = '';
    const grouped = samples[0]?.group !== undefined;
    if (pictures && grouped) {
      const groups = new Map<number, FindingSample[]>();
      for (const sample of samples) groups.set(sample.group ?? 0, [...(groups.get(sample.group ?? 0) ?? []), sample]);
      strip = `<div class="groups">${[...groups.values()]
        .map(
          (group) =>
            `<div class="group" data-holder="">${group.map((sample) => figure(sample, pictures, kind)).join('')}</div>`,
        )
        .join('')}</div>`;
    } else if (pictures && samples.length > 0)
      strip = `<div class="strip">${samples.map((sample) => figure(sample, pictures, kind)).join('')}</div>`;
    else if (samples.length > 0)
      strip = `<div class="scroll"><table>${samples
        .map(
          (sample) =>
            `<tr data-search="${html(`${sample.name} ${sample.note ?? ''}`.toLowerCase())}"><td>${html(sample.name)}</td><td>${html(sample.note ?? '')}</td></tr>`,
        )
        .join('')}</table></div>`;
    const left = finding.samples.length - samples.length;
    const more = left > 0 ? `<p class="more">and ${number(left)} more; praxis look --json names all of them</p>` : '';
    return `<article class="card finding ${severity}" data-holder="${html(`${severity} ${kind} ${kind.replaceAll('-', ' ')}`)}"><div class="what">${severity} · ${kind.replaceAll('-', ' ')}</div><p>${html(message)}</p><p class="remedy">${html(remedy)}</p>${strip}${more}</article>`;
  });
  return `<section id="findings"><h2>Findings</h2>${cards.join('\n') || '<div class="card">Nothing remarkable was found.</div>'}</section>`;
}

/** Classes that get a bar. */
const barred = 120;

function labelsSection(report: LookReport): string {
  const { classes } = report;
  const rows = classes.slice(0, barred).map(({ name, count, share: own }) => ({
    name,
    value: count,
    shown: `${number(count)} · ${percent(own)}`,
    rare: count < 10,
  }));
  const more = classes.length > barred ? `<p class="more">and ${classes.length - barred} rarer classes</p>` : '';
  const own = bars(rows, classes[0]?.count ?? 1);
  const separability = report.pictures?.separability;
  const told = separability
    ? `<div class="card"><h3>Told apart by colours and edges alone <small>recall, ${separability.folds}-fold</small></h3>${bars(
        [...separability.recalls]
          .sort((a, b) => b.recall - a.recall)
          .slice(0, barred)
          .map(({ name, recall }) => ({ name, ...share(recall) })),
        1,
      )}<p class="more">A network must beat this.${separability.confused ? ` ${percent(separability.confused[2])} of ${html(separability.confused[0])} are taken for ${html(separability.confused[1])}.` : ''}</p></div>`
    : '';
  return `<section id="labels"><h2>Labels</h2><div class="columns"><div class="card"><h3>Samples per class</h3>${own}${more}</div>${told}</div></section>`;
}

const row = (name: string, value: string): string => `<tr><th>${name}</th><td>${html(value)}</td></tr>`;

function sizes(own: readonly { width: number; height: number; count: number }[]): string {
  const [first] = own;
  if (!first) return '';
  if (own.length === 1)
    return `<div class="card"><h3>Sizes</h3><p class="more">All pictures are ${first.width} × ${first.height}.</p></div>`;
  return `<div class="card"><h3>Sizes <small>the ${own.length} most frequent; larger dots: more pictures</small></h3>${sizeScatter(own)}</div>`;
}

function picturesSection(report: LookReport, thumbs: Map<number, Thumbnail> | null): string {
  const pictures = report.pictures;
  if (!pictures) return '';
  const { width, height, aspect, bytes, channels } = pictures;
  const three = (values: readonly number[]): string => values.map((value) => value.toFixed(3)).join(', ');
  const counts = (own: Readonly<Record<string, number>>): string =>
    Object.entries(own)
      .map(([name, count]) => `${name} ${number(count)}`)
      .join(', ');
  const facts = [
    row('Width', `${width.least} to ${width.most}, median ${width.median}`),
    row('Height', `${height.least} to ${height.most}, median ${height.median}`),
    row('Width : height', `${aspect.least.toFixed(2)} to ${aspect.most.toFixed(2)}`),
    row('Formats', counts(pictures.formats)),
    row('Colours', counts(pictures.modes)),
    row('Turned by EXIF', number(pictures.rotated)),
    row('File size', `${fileSize(bytes.least)} to ${fileSize(bytes.most)}, median ${fileSize(bytes.median)}`),
    row('Mean of red, green, blue', three(channels.mean)),
    row('Deviation', three(channels.std)),
    pictures.copies
      ? row('Copies', `${number(pictures.copies.samples)} in ${number(pictures.copies.groups)} groups`)
      : '',
  ];
  const files = (own: typeof pictures.smallest): string =>
    thumbs
      ? `<div class="strip">${own.map((one) => figure({ index: one.index, name: one.name, note: fileSize(one.bytes) }, thumbs)).join('')}</div>`
      : '';
  return `<section id="facts"><h2>Pictures and files</h2><div class="columns"><div class="card"><h3>Facts</h3><table>${facts.join('')}</table></div>
${sizes(pictures.sizes)}</div>
<div class="columns"><div class="card"><h3>Smallest files</h3>${files(pictures.smallest)}</div><div class="card"><h3>Largest files</h3>${files(pictures.largest)}</div></div></section>`;
}

function columnsSection(report: LookReport): string {
  const rows = (report.table?.columns ?? []).map((column) => {
    const values = column.spread
      ? `${column.spread.least} to ${column.spread.most}, median ${column.spread.median}`
      : (column.common ?? []).map(({ value, count }) => `${value} (${number(count)})`).join(', ');
    return `<tr data-search="${html(column.name.toLowerCase())}"><td>${html(column.name)}</td><td>${column.type}</td><td>${number(column.missing)}</td><td>${number(column.distinct)}</td><td>${html(values)}</td></tr>`;
  });
  return `<section id="facts"><h2>Columns</h2><div class="card scroll"><table><tr><th>column</th><th>type</th><th>missing</th><th>different</th><th>values</th></tr>${rows.join('')}</table></div></section>`;
}

function wordsSection(report: LookReport): string {
  const text = report.text;
  if (!text) return '';
  const common = text.common.map(({ word, count }) => ({ name: word, value: count, shown: number(count) }));
  return `<section id="facts"><h2>Words</h2><div class="columns"><div class="card"><h3>Facts</h3><table>${row('Words per text', `${text.words.least} to ${text.words.most}, median ${text.words.median}`)}${row('Characters per text', `${text.characters.least} to ${text.characters.most}, median ${text.characters.median}`)}${row('Vocabulary', number(text.vocabulary))}${row('Seen once', number(text.once))}</table></div><div class="card"><h3>Most frequent</h3>${bars(common, common[0]?.value ?? 1)}</div></div></section>`;
}

function classSection(
  dataset: PictureDataset,
  classes: readonly ClassSamples[],
  pictures: Map<number, Thumbnail> | null,
): string {
  if (!pictures) return '';
  const cards = classes.map(({ name, count, indices }) => {
    const figures = indices
      .filter((index) => pictures.has(index))
      .map((index) => figure({ index, name: dataset.sampleName(index) }, pictures, name));
    return `<div class="card" data-holder="${html(name.toLowerCase())}"><h3>${html(name)}<small>${number(count)}</small></h3><div class="strip">${figures.join('')}</div></div>`;
  });
  return `<section id="samples"><h2>Samples of each class, drawn at random</h2>${cards.join('\n')}</section>`;
}

function textSection(dataset: Extract<Dataset, { kind: 'text' }>, classes: readonly ClassSamples[]): string {
  const cards = classes.map(({ name, count, indices }) => {
    const rows = indices.map((index) => {
      const text = dataset.text(index).replace(/\s+/g, ' ');
      const short = text.length > 400 ? `${text.slice(0, 400)}…` : text;
      return `<tr data-search="${html(`${dataset.sampleName(index)} ${short}`.toLowerCase())}"><td>${html(short)}</td></tr>`;
    });
    return `<div class="card" data-holder="${html(name.toLowerCase())}"><h3>${html(name)}<small>${number(count)}</small></h3><table>${rows.join('')}</table></div>`;
  });
  return `<section id="samples"><h2>Samples of each class, drawn at random</h2>${cards.join('\n')}</section>`;
}
