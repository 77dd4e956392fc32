/** The last page: what came of it. Runs in the browser, after `page-script.ts`. */
export const pageResult = `
const percent = (share) => Math.round(100 * share) + ' %';
const half = ({ low, high }) => Math.max(1, Math.round(50 * (high - low)));

function range(title, share, className) {
  const track = make('div', { className: 'track ' + className, title: percent(share.interval.low) + ' to ' + percent(share.interval.high) });
  const band = make('div', { className: 'band' });
  band.style.left = 100 * share.interval.low + '%';
  band.style.width = 100 * (share.interval.high - share.interval.low) + '%';
  const dot = make('div', { className: 'dot' });
  dot.style.left = Math.min(99.4, Math.max(.6, 100 * share.accuracy)) + '%';
  track.append(band, dot);
  return [make('span', { textContent: title }), track];
}

function figure(name, value) {
  return make('div', {}, make('dt', { textContent: name }), make('dd', { textContent: value }));
}

/* Few classes: the whole table. Many: only what was taken for something else. */
function confusions(confusion) {
  const names = quiz.classes;
  const most = Math.max(1, ...confusion.flat());
  if (names.length <= 12) {
    const head = make('tr', {}, make('th', {}), ...names.map((name) => make('th', { textContent: name, title: name })));
    const rows = confusion.map((counts, label) => make('tr', {}, make('th', { textContent: names[label], title: names[label] }), ...counts.map((count, said) => {
      const cell = make('td', { textContent: count === 0 ? '' : String(count), className: count === 0 ? '' : label === said ? 'hit' : 'miss' });
      cell.style.setProperty('--heat', Math.round(22 + 50 * count / most) + '%');
      return cell;
    })));
    const table = make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows));
    return make('div', { className: 'scroll' }, make('p', { className: 'soft', textContent: 'Rows: what it is. Columns: what you said.' }), table);
  }
  const pairs = confusion.flatMap((counts, label) => counts.map((count, said) => ({ count, label, said }))).filter(({ count, label, said }) => count > 0 && label !== said).sort((a, b) => b.count - a.count);
  return make('ul', { className: 'pairs' }, ...pairs.map(({ count, label, said }) => make('li', { textContent: names[label] + ' → ' + names[said] + (count > 1 ? ' × ' + count : '') })));
}

function showResult(result) {
  const answered = result.of > 0;
  const verdict = make('div', { className: 'verdict' },
    make('b', { textContent: answered ? percent(result.accuracy) : '–' }),
    make('i', { textContent: answered ? '± ' + half(result.interval) : '' }),
    make('span', { textContent: answered
      ? result.right + ' of ' + result.of + ' right. You may be anywhere from ' + percent(result.interval.low) + ' to ' + percent(result.interval.high) + ': more pictures would tell more closely (95 % interval).'
      : 'Every picture was skipped.' }));
  const bars = make('div', { className: 'range' });
  if (answered) bars.append(...range('you', result, ''));
  if (answered && result.net) bars.append(...range('net', result.net, 'net'));
  if (answered) bars.append(make('span', {}), make('div', { className: 'scale' }, make('span', { textContent: '0' }), make('span', { textContent: '50' }), make('span', { textContent: '100 %' })));
  const figures = make('dl', { className: 'figures' });
  if (answered) figures.append(figure('per picture (median)', result.secondsPerPicture.toFixed(1) + ' s'));
  if (result.net) figures.append(figure('the net, on the same pictures', percent(result.net.accuracy) + ' ± ' + half(result.net.interval)));
  figures.append(figure('by guessing', percent(1 / quiz.classes.length)));
  if (result.skipped > 0) figures.append(figure('skipped', String(result.skipped)));
  $('done').replaceChildren(make('section', { className: 'panel' }, verdict, bars, figures));
  if (result.missed.length > 0) {
    const hidden = result.allMissed - result.missed.length;
    const cards = result.missed.map(({ name, label, answer, picture }) => make('figure', {}, make('img', { src: picture, alt: quiz.classes[label] }),
      make('figcaption', {}, make('span', { className: 'is', textContent: quiz.classes[label] }), make('br'), make('span', { className: 'said', textContent: 'you: ' + quiz.classes[answer] }), make('small', { textContent: name, title: name }))));
    $('done').append(make('section', { className: 'panel' }, make('h2', { textContent: 'What you missed' + (hidden > 0 ? ' (' + result.missed.length + ' of ' + result.allMissed + ')' : '') }), make('div', { className: 'missed' }, ...cards)));
  } else if (answered) $('done').append(make('section', { className: 'panel' }, make('h2', { textContent: 'You missed none.' }), make('p', { className: 'soft', textContent: 'More pictures (--pictures) make the figure sharper.' })));
  if (answered && (quiz.classes.length <= 12 || result.allMissed > 0))
    $('done').append(make('section', { className: 'panel' }, make('h2', { textContent: quiz.classes.length <= 12 ? 'What you took for what' : 'What you took for what (what it is → what you said)' }), confusions(result.confusion)));
  const end = make('p', { className: 'soft' }, 'You can close this page.');
  if (result.keptIn) end.append(' Your answers are kept in ', make('code', { textContent: result.keptIn }), '.');
  $('done').append(end);
  scrollTo(0, 0);
}
`;
