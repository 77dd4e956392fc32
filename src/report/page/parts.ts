/** Small pieces of HTML that the sections are made of. */
import { html } from '../../look/page/charts.js';
import type { Said } from '../figures.js';
import { percent } from '../numbers.js';

export { html };

/** Sentences: a number and its sign of percent stay on one line. */
export const prose = (text: string): string => html(text).replaceAll(' %', '\u00a0%');

export const section = (id: string, title: string, content: string): string =>
  content === '' ? '' : `<section id="${id}"><h2>${html(title)}</h2>${content}</section>`;

export const card = (title: string, content: string, note = ''): string =>
  `<div class="card">${title === '' ? '' : `<h3>${html(title)}</h3>`}${note === '' ? '' : `<p>${prose(note)}</p>`}${content}</div>`;

/** Where a script draws. */
export const chart = (id: string): string => `<div id="${id}"></div>`;

export const row = (name: string, value: string): string => `<tr><th>${html(name)}</th><td>${html(value)}</td></tr>`;

/** A line to type, with a button that copies it. */
export const command = (text: string): string =>
  `<div class="command"><code>${html(text)}</code><button type="button" data-copy>copy</button></div>`;

/** Lines of a program. */
export const pre = (lines: readonly string[]): string => `<pre>${lines.map(html).join('\n')}</pre>`;

/** A picture with what was said of it; the script puts the picture in. */
export function figure(
  said: Said,
  classes: readonly string[],
  note: string,
  pictured: boolean,
  labelled = true,
): string {
  const { name, target, predicted } = said;
  const inside = pictured
    ? `<img data-picture="${html(name)}" alt="${html(name)}">`
    : '<div class="none">not shown</div>';
  const right = target === predicted ? ' class="right"' : '';
  return `<figure${right} title="${html(name)}"><div class="frame">${inside}</div><figcaption><span class="note">${note}</span>${labelled ? `<span>is ${html(classes[target] ?? '')}</span>` : ''}<span>${html(name.split('/').pop() ?? name)}</span></figcaption></figure>`;
}

/** Beside a heading that names both classes. */
export const sureNote = ({ confidence }: Said): string => `<b>${percent(confidence, 0)}</b> sure`;

export const saidNote = ({ predicted, confidence }: Said, classes: readonly string[]): string =>
  `<b>${html(classes[predicted] ?? '')}</b> ${percent(confidence, 0)}`;

export const unsureNote = ({ predicted, confidence, second, ofSecond }: Said, classes: readonly string[]): string =>
  `<b>${html(classes[predicted] ?? '')}</b> ${percent(confidence, 0)}</span><span class="note">${html(classes[second] ?? '')} ${percent(ofSecond, 0)}`;
