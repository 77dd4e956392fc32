/**
 * What runs in the quiz's page, in the browser's own JavaScript: it is sent as it stands here. It learns no class of a picture that is
 * asked before the end.
 */
export const pageScript = String.raw`
'use strict';
const $ = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const keys = 9;
let quiz, state, busy = false, left = false, shownAt, spent = 0;
let options = [], chosen = -1;
const pictures = new Map();

async function call(path, body) {
  const request = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(path, request);
  // 409: this was answered already, in another window or by a key pressed twice; the answer says where the quiz is.
  if (!response.ok && response.status !== 409) throw new Error(await response.text());
  return response.json();
}

async function step(path, body) {
  if (busy) return;
  busy = true;
  try {
    state = await call(path, body);
    await show();
    $('notice').hidden = true;
  } catch (error) {
    $('notice').hidden = false;
    $('notice').textContent = error instanceof TypeError
      ? 'The quiz has ended in the terminal. What you answered is kept; run praxis quiz again to go on.'
      : error.message;
  } finally {
    busy = false;
  }
}

/* Time counts while the picture is on the screen and the page is in front. */
function startClock() { spent = 0; shownAt = document.hidden ? undefined : performance.now(); }
function readClock() { return (spent + (shownAt === undefined ? 0 : performance.now() - shownAt)) / 1000; }
document.addEventListener('visibilitychange', () => {
  if (document.hidden) { if (shownAt !== undefined) spent += performance.now() - shownAt; shownAt = undefined; }
  else shownAt = performance.now();
});

function picture(position) {
  if (!pictures.has(position)) {
    const image = make('img', { alt: 'Picture ' + (position + 1) + ' of ' + state.total });
    image.src = 'picture/' + position;
    pictures.set(position, image);
  }
  return pictures.get(position);
}

const answer = (value) => { if (state.phase === 'ask') step('answer', { position: state.position, answer: value, seconds: readClock() }); };
const undo = () => { if (state.position > 0) step('undo', { position: state.position }); };
const finish = () => { if (state.position > 0) step('finish', {}); };

function filter() {
  const words = $('search').value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (name) => words.every((word) => name.toLowerCase().includes(word));
  const starts = (name) => words.length > 0 && name.toLowerCase().startsWith(words[0]);
  options = quiz.classes.map((name, label) => ({ name, label })).filter(({ name }) => fits(name))
    .sort((a, b) => starts(b.name) - starts(a.name) || a.name.localeCompare(b.name));
  chosen = words.length > 0 && options.length > 0 ? 0 : -1;
  $('options').replaceChildren(...options.map(({ name, label }, i) => {
    const item = make('li', { id: 'option-' + i, textContent: name });
    item.setAttribute('role', 'option');
    item.addEventListener('click', () => answer(label));
    return item;
  }));
  if (options.length === 0) $('options').append(make('li', { className: 'none', textContent: 'No class is called that.' }));
  mark();
}
function mark() {
  [...$('options').children].forEach((item, i) => item.setAttribute('aria-selected', String(i === chosen)));
  const item = $('option-' + chosen);
  if (item) { item.scrollIntoView({ block: 'nearest' }); $('search').setAttribute('aria-activedescendant', item.id); }
  else $('search').removeAttribute('aria-activedescendant');
}

function prepare() {
  const few = quiz.classes.length <= keys;
  document.documentElement.style.setProperty('--aspect', quiz.width + ' / ' + quiz.height);
  $('name').textContent = quiz.name;
  $('about').textContent = quiz.total + ' of ' + quiz.available.toLocaleString('en-GB') + ' ' + (quiz.from === 'train' ? 'training' : 'validation') + ' pictures, ' + quiz.width + ' × ' + quiz.height;
  $('choices').hidden = !few;
  $('finder').hidden = few;
  $('skip-key').textContent = few ? '0' : 'Esc';
  if (few) {
    $('choices').append(...quiz.classes.map((name, label) => {
      const button = make('button', { className: 'choice', type: 'button' }, make('kbd', { textContent: String(label + 1) }), make('span', { textContent: name }));
      button.addEventListener('click', () => answer(label));
      return button;
    }));
  }
  const groups = new Map();
  quiz.examples.forEach((label, i) => groups.set(label, [...(groups.get(label) ?? []), i]));
  if ([...groups.values()].every((list) => list.length === 1)) $('examples').classList.add('single');
  for (const [label, list] of groups) {
    const row = make('div', {}, ...list.map((i) => make('img', { src: 'example/' + i, alt: quiz.classes[label] })));
    $('examples').append(make('section', {}, make('h3', { textContent: quiz.classes[label] }), row));
  }
}

async function show() {
  for (const phase of ['learn', 'ask', 'check', 'done']) $(phase).hidden = phase !== state.phase;
  $('count').textContent = state.phase === 'ask' ? (state.position + 1) + ' of ' + state.total : '';
  $('fill').style.width = (state.phase === 'learn' ? 0 : state.phase === 'done' ? 100 : 100 * state.position / state.total) + '%';
  $('undo').disabled = $('finish').disabled = state.position === 0;
  if (state.phase === 'check') { $('answered').textContent = String(state.total); $('result').focus(); }
  if (state.phase === 'done' && !left) { left = true; showResult(await call('result')); }
  if (state.phase !== 'ask') return;
  const image = picture(state.position);
  try { await image.decode(); } catch { throw new Error('This picture could not be fetched; reload the page.'); }
  $('stage').replaceChildren(image);
  startClock();
  if (quiz.classes.length > keys) {
    $('search').value = '';
    filter();
    $('options').scrollTop = 0;
    if (matchMedia('(hover: hover)').matches) $('search').focus();
  } else if (document.activeElement) document.activeElement.blur();
  if (state.position + 1 < state.total) picture(state.position + 1);
}

const views = ['smooth', 'pixels', 'actual'];
function view(name) {
  $('stage').dataset.view = name;
  for (const other of views) $('view-' + other).setAttribute('aria-pressed', String(other === name));
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !state) return;
  const { key, target } = event;
  const inButton = target instanceof HTMLButtonElement;
  const take = (action) => { event.preventDefault(); if (!event.repeat) action(); };
  if (state.phase === 'learn' && (key === ' ' || key === 'Enter') && !inButton) return take(() => step('begin', {}));
  if (state.phase === 'check' && key === 'Enter' && !inButton) return take(finish);
  if (state.phase === 'check' && key === 'Backspace') return take(undo);
  if (state.phase !== 'ask') return;
  if (quiz.classes.length <= keys) {
    if (key === 'Backspace') take(undo);
    else if (key === '0') take(() => answer(null));
    else if (key === 'v') take(() => view(views[(views.indexOf($('stage').dataset.view) + 1) % views.length]));
    else if (/^[1-9]$/.test(key) && Number(key) <= quiz.classes.length) take(() => answer(Number(key) - 1));
    return;
  }
  const search = $('search');
  if (key === 'ArrowDown' || key === 'ArrowUp') {
    event.preventDefault();
    if (options.length > 0) chosen = Math.max(0, Math.min(options.length - 1, chosen + (key === 'ArrowDown' ? 1 : -1)));
    mark();
  } else if (key === 'Enter' && !inButton) take(() => { if (chosen >= 0) answer(options[chosen].label); });
  else if (key === 'Escape') take(() => { if (search.value === '') answer(null); else { search.value = ''; filter(); } });
  else if (key === 'Backspace' && search.value === '') take(undo);
  else if (key.length === 1 && key !== ' ' && target !== search) search.focus();
});

function bind() {
  $('search').addEventListener('input', filter);
  $('undo').addEventListener('click', undo);
  $('undo-check').addEventListener('click', undo);
  $('skip').addEventListener('click', () => answer(null));
  $('finish').addEventListener('click', finish);
  $('result').addEventListener('click', finish);
  $('begin').addEventListener('click', () => step('begin', {}));
  for (const name of views) $('view-' + name).addEventListener('click', () => view(name));
}

bind();
view('smooth');
call('quiz').then((given) => {
  quiz = given;
  state = given;
  prepare();
  return show();
}).catch((error) => { $('notice').hidden = false; $('notice').textContent = error.message; });
`;
