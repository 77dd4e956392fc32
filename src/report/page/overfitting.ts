/** The section about learning by heart: since when, in which classes, which pictures, and what to do about it. */
import type { OverfittingSeen, Remedy } from '../../train/overfit/index.js';
import { counted, grouped, percent, short } from '../numbers.js';
import type { Pictures } from '../pictures.js';
import type { ReportData } from '../report-data.js';
import { leftBehindSentence } from '../verdict.js';
import { card, html, prose, section } from './parts.js';

const points = (share: number): string =>
  `${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(100 * share).toFixed(1)}`;

const head = (title: string, numeric = true): string =>
  `<th${numeric ? ' class="number"' : ''}><button type="button">${html(title)}</button></th>`;

function classCard({ data, settings }: ReportData, { by, gaps }: NonNullable<OverfittingSeen['classes']>): string {
  const { noun } = data;
  const augment = settings.find(({ name }) => name === 'augment');
  const changed = noun === 'picture' && (augment?.became ?? augment?.value) !== 'none';
  const cell = (value: number, text: string): string => `<td class="number" data-value="${value}">${text}</td>`;
  const rows = gaps.map(
    ({ name, train, validation, gap }) =>
      `<tr><td>${html(name)}</td>${cell(train, percent(train))}${cell(validation, percent(validation))}${cell(gap, points(gap))}</tr>`,
  );
  const how =
    by === 'probes'
      ? `By praxis overfit: the training ${noun}s seen as they are.`
      : changed
        ? `The training ${noun}s as they were trained on in the last epochs, changed at random: that makes them harder, so that the gap may be below 0.`
        : `The training ${noun}s as they were trained on in the last epochs.`;
  return card(
    'The gap, class by class',
    `<div class="scroll${rows.length > 12 ? ' tall' : ''}"><table class="sortable"><thead><tr>${head('class', false)}${head('training')}${head('validation')}${head('gap')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
    `How many of each class are recognised; the widest gap first. ${how}`,
  );
}

function memorisedCard(
  { data }: ReportData,
  seen: NonNullable<OverfittingSeen['memorised']>,
  pictures: Pictures,
): string {
  const { classes, noun } = data;
  const when = seen.early === 1 ? 'the first epoch' : `the first ${seen.early} epochs`;
  const count =
    seen.count === 0
      ? 'There is none here.'
      : `${grouped(seen.count)} of the ${counted(seen.of, `training ${noun}`)} ${seen.count === 1 ? 'is such a one' : 'are such'}${seen.samples.length < seen.count ? `; here the ${seen.samples.length} that surprised it most` : ''}.`;
  const note = `Training ${noun}s that surprised the network: in ${when} it gave their class less probability than a guess would, and less than it gave nearly all others. In the end it names them rightly. Odd or hard ${noun}s are among them, wrong labels, and what was learned by heart. ${count}${seen.count === 0 ? '' : ' Below each: its label, and the probability this had at first → in the end.'}`;
  const shown = seen.samples.some(({ name }) => pictures.urls.has(name));
  const share = (loss: number): string => percent(Math.exp(-loss), loss > 4.6 ? 1 : 0);
  const content =
    seen.samples.length === 0
      ? ''
      : shown
        ? `<div class="strip">${seen.samples
            .map(
              ({ name, target, early, late }) =>
                `<figure title="${html(name)}"><div class="frame">${pictures.urls.has(name) ? `<img data-picture="${html(name)}" alt="${html(name)}">` : '<div class="none">not shown</div>'}</div><figcaption><span class="note">${html(classes[target] ?? '')}</span><span>${share(early)} → ${share(late)}</span><span>${html(name.split('/').pop() ?? name)}</span></figcaption></figure>`,
            )
            .join('')}</div>`
        : `<div class="scroll tall"><table><thead><tr><th>name</th><th>class</th><th class="number">loss at first</th><th class="number">in the end</th></tr></thead><tbody>${seen.samples
            .map(
              ({ name, target, early, late }) =>
                `<tr><td>${html(name)}</td><td>${html(classes[target] ?? '')}</td><td class="number">${short(early)}</td><td class="number">${short(late)}</td></tr>`,
            )
            .join('')}</tbody></table></div>`;
  return card('Learned last, or by heart', content, note);
}

function remedyCard(remedies: readonly Remedy[]): string {
  const typed = (title: string): string => (/^(--|praxis )/.test(title) ? `<code>${html(title)}</code>` : html(title));
  const rows = remedies.map(
    ({ title, gain, reason }) =>
      `<li><b>${typed(title)}</b>${gain === undefined ? '' : `<b class="gain">${points(gain)} points</b>`} <span>${html(reason)}</span></li>`,
  );
  const measured = remedies.some(({ gain }) => gain !== undefined);
  return card(
    'What to try against it, the largest expected gain first',
    `<ol class="remedies">${rows.join('')}</ol>`,
    measured
      ? 'Those with a figure were measured on this very split; the others follow in the order in which they usually help.'
      : 'None of it was measured on this split, so this is the order in which they usually help.',
  );
}

/** Nothing for runs without an epoch, and for ensembles. */
export function overfittingSection(report: ReportData, pictures: Pictures): string {
  const { overfitting, fit } = report;
  if (overfitting === null || fit === null) return '';
  const { classes, memorised, probes, remedies, gap, leftBehind } = overfitting;
  const wide =
    leftBehind !== undefined || gap > 0.05 || (probes !== undefined && probes.growth.value > probes.growth.within);
  const last = `After the last epoch ${percent(fit.accuracyGap + (report.curves.validationAccuracy.at(-1) ?? Number.NaN))} of the training part were recognised and ${percent(report.curves.validationAccuracy.at(-1) ?? Number.NaN)} of the validation part: ${gap > 0 ? `a gap of ${short(100 * gap)} points` : 'no gap'}.`;
  const depth = probes === undefined ? '' : ` Layer by layer (praxis overfit): ${probes.text}`;
  const rest = wide ? '' : ' So remedies against overfitting have little to gain here.';
  const halves = [
    classes === undefined || classes.gaps.length === 0 ? '' : classCard(report, classes),
    wide || remedies.some((one) => one.gain !== undefined) ? remedyCard(remedies) : '',
  ].filter((one) => one !== '');
  return section(
    'overfitting',
    'Whether it learned by heart',
    `<div class="card"><p>${prose(`${leftBehindSentence(report)} ${last}${depth}${rest}`)}</p></div>${halves.length === 2 ? `<div class="half">${halves.join('')}</div>` : halves.join('')}${memorised === undefined ? '' : memorisedCard(report, memorised, pictures)}`,
  );
}
