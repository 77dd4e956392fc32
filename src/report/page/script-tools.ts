/** What the scripts of the page share. They run in the browser, in its own JavaScript, as they stand here; all numbers come from the page's JSON. */
export const scriptTools = `
'use strict';
const report = JSON.parse(document.getElementById('praxis-report').textContent, (key, value) =>
  value === 'NaN' ? NaN : value === 'Infinity' ? Infinity : value === '-Infinity' ? -Infinity : value);
const pictures = JSON.parse(document.getElementById('praxis-pictures').textContent);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const drawn = (tag, attributes = {}, text) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const percent = (share, digits = 1) => Number.isFinite(share) ? (100 * share).toFixed(digits) + ' %' : '–';
const short = (value) => !Number.isFinite(value) ? '–' : Number(value.toPrecision(3)).toString();
const grouped = (value) => Math.round(value).toLocaleString('en-GB');
const themed = [];
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { for (const draw of themed) draw(); });

/* One tip for all charts, near what it is about and never beyond the window. */
const tip = make('div', { className: 'tip', hidden: true, role: 'status' });
document.body.append(tip);
/* again: how to show it once more where its chart has scrolled to; a tip that follows the pointer goes away instead. */
let again = null;
const showTip = (lines, x, y, repeat = null) => {
  again = repeat;
  tip.replaceChildren(...lines.map((line, i) => {
    const row = make('div', { className: i === 0 ? 'head' : '' });
    if (typeof line === 'string') row.textContent = line;
    else {
      if (line.colour) row.append(make('i', { style: 'background:' + line.colour }));
      row.append(line.name, make('b', { textContent: line.value }));
    }
    return row;
  }));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = Math.max(6, Math.min(innerWidth - width - 6, x + 14 + width > innerWidth - 6 ? x - width - 14 : x + 14)) + 'px';
  tip.style.top = Math.max(6, Math.min(innerHeight - height - 6, y - height / 2)) + 'px';
};
/* The page that scrolls below a pointer at rest is no pointing. */
const atRest = (event) => again !== null && event.type !== 'pointerdown' && event.movementX === 0 && event.movementY === 0;
const hideTip = () => { tip.hidden = true; again = null; };
addEventListener('scroll', () => { if (again) again(); else hideTip(); }, { passive: true });

/* Pictures stand in the page once, by name, wherever they are shown. */
const fillPictures = (root) => {
  for (const image of root.querySelectorAll('img[data-picture]')) {
    const url = pictures[image.dataset.picture];
    if (url) image.src = url;
    else image.replaceWith(make('div', { className: 'none', textContent: 'no picture' }));
  }
};
const figureOf = ({ name, target, predicted, confidence }) => {
  const { classes } = report.data;
  const figure = make('figure', { title: name });
  figure.append(
    make('div', { className: 'frame' }, make('img', { alt: name })),
    make('figcaption', {}, make('span', { className: 'note', textContent: classes[predicted] + ' ' + percent(confidence, 0) }), make('span', { textContent: 'is ' + classes[target] }), make('span', { textContent: name.split('/').pop() })),
  );
  figure.querySelector('img').setAttribute('data-picture', name);
  return figure;
};
fillPictures(document);
`;
