/** The rest of the page's scripts: the reliability diagram, tables that sort, and what puts each chart in its place. */
export const scriptPage = `
/* Bars of how often it is right, by how sure it is; the line is where they would be if it knew itself; below, how many there are. */
function reliabilityDiagram(host, { reliability }) {
  const box = make('div', { className: 'plot', tabIndex: 0 });
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', 'Reliability diagram. Arrow keys read the bars.');
  host.append(box);
  const bins = reliability;
  const used = bins.map((_, i) => i).filter((i) => bins[i].count > 0);
  const most = Math.max(...bins.map(({ count }) => count));
  let place = -1;
  const state = {};
  function draw() {
    const width = Math.max(240, box.clientWidth);
    const side = Math.min(width - 60, 330);
    const [left, top, below] = [46, 8, 56];
    const height = top + side + 24 + below + 34;
    const X = (v) => left + side * v;
    const Y = (v) => top + side * (1 - v);
    const svg = drawn('svg', { width: left + side + 14, height, 'aria-hidden': 'true' });
    for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) svg.append(
      drawn('line', { class: 'axis', x1: left, x2: left + side, y1: Y(tick), y2: Y(tick) }),
      drawn('text', { x: left - 8, y: Y(tick) + 4, 'text-anchor': 'end' }, percent(tick, 0)),
      drawn('text', { x: X(tick), y: top + side + 24 + below + 16, 'text-anchor': 'middle' }, percent(tick, 0)));
    for (const i of used) {
      const { low, high, accuracy, confidence, count } = bins[i];
      const [x, wide] = [X(low) + 1, side * (high - low) - 2];
      svg.append(
        drawn('rect', { class: 'bar', x, y: Y(accuracy), width: wide, height: side * accuracy }),
        drawn('line', { class: 'tick', x1: x, x2: x + wide, y1: Y(confidence), y2: Y(confidence) }),
        drawn('rect', { class: 'amount', x, y: top + side + 24 + below * (1 - count / most), width: wide, height: below * count / most }));
    }
    svg.append(drawn('line', { class: 'ideal', x1: X(0), x2: X(1), y1: Y(0), y2: Y(1) }),
      drawn('text', { x: left + side / 2, y: height - 4, 'text-anchor': 'middle' }, 'how sure it is'),
      drawn('text', { x: left, y: top + side + 18 }, 'how many'));
    const cursor = drawn('g', { class: 'cursor' });
    svg.append(cursor);
    box.replaceChildren(svg);
    Object.assign(state, { X, Y, left, side, top, below, cursor, width });
  }
  function show(i, x, y) {
    place = Math.max(0, Math.min(used.length - 1, i));
    const { low, high, count, accuracy, confidence } = bins[used[place]];
    state.cursor.replaceChildren(drawn('rect', { x: state.X(low), y: state.top, width: state.side * (high - low), height: state.side + 24 + state.below }));
    const where = box.getBoundingClientRect();
    showTip([percent(low, 0) + ' to ' + percent(high, 0) + ' sure', { name: 'right', value: percent(accuracy) }, { name: 'sure on average', value: percent(confidence) }, { name: report.data.noun + 's', value: grouped(count) }], x ?? where.left + state.X(high), y ?? where.top + state.side / 2, x === undefined ? () => show(i) : null);
  }
  const leave = () => { state.cursor.replaceChildren(); hideTip(); };
  const follow = (event) => {
    if (atRest(event)) return;
    const share = (event.clientX - box.getBoundingClientRect().left - state.left) / state.side;
    if (share < 0 || share > 1) return leave();
    const distance = (i) => Math.abs((bins[i].low + bins[i].high) / 2 - share);
    show(used.indexOf(used.reduce((best, i) => (distance(i) < distance(best) ? i : best))), event.clientX, event.clientY);
  };
  box.addEventListener('pointermove', follow);
  box.addEventListener('pointerdown', follow);
  box.addEventListener('pointerleave', (event) => { if (!atRest(event)) leave(); });
  box.addEventListener('blur', leave);
  box.addEventListener('keydown', (event) => {
    const moves = { ArrowRight: place + 1, ArrowLeft: place < 0 ? used.length - 1 : place - 1, Home: 0, End: used.length - 1 };
    if (event.key === 'Escape') { place = -1; return leave(); }
    if (!(event.key in moves)) return;
    event.preventDefault();
    show(moves[event.key]);
  });
  draw();
  new ResizeObserver(() => { if (Math.abs(box.clientWidth - state.width) > 1) draw(); }).observe(box);
}

/* Any table whose head has buttons. */
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.querySelectorAll('th')];
  heads.forEach((head, column) => head.querySelector('button')?.addEventListener('click', () => {
    const up = head.getAttribute('aria-sort') !== 'ascending';
    for (const other of heads) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const body = table.tBodies[0];
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const numeric = [...body.rows].every((row) => value(row) !== '' && !Number.isNaN(Number(value(row))));
    const rows = [...body.rows].sort((a, b) => (numeric ? Number(value(a)) - Number(value(b)) : value(a).localeCompare(value(b))) * (up ? 1 : -1));
    body.append(...rows);
  }));
}
for (const button of document.querySelectorAll('button[data-copy]')) button.addEventListener('click', async () => {
  const text = button.previousElementSibling.textContent;
  try { await navigator.clipboard.writeText(text); button.textContent = 'copied'; } catch { getSelection().selectAllChildren(button.previousElementSibling); }
  setTimeout(() => { button.textContent = 'copy'; }, 1500);
});
`;

/** Puts the charts of one run's report in their places. */
export const scriptReport = `
const { curves, steps, chosen, figures, rangeTest } = report;
const place = (id) => document.getElementById(id);
const marks = chosen && chosen.epoch !== null ? [{ x: chosen.epoch, label: 'chosen: epoch ' + short(chosen.epoch) }] : [];
const left = report.overfitting?.leftBehind;
if (left !== undefined) marks.push({ x: left, label: 'falls behind after ' + left, kind: 'bad' });
if (place('chart-loss')) lineChart(place('chart-loss'), { title: 'Loss by epoch', xLabel: 'epoch', whole: true, format: short, marks, series: [
  { name: 'training', colour: '--train', x: curves.epoch, y: curves.trainLoss, points: true },
  { name: 'validation', colour: '--validation', x: curves.epoch, y: curves.validationLoss, points: true }] });
if (place('chart-accuracy')) lineChart(place('chart-accuracy'), { title: 'Accuracy by epoch', xLabel: 'epoch', whole: true, format: (v) => percent(v, 0), marks, series: [
  { name: 'training', colour: '--train', x: curves.epoch, y: curves.trainAccuracy, points: true, format: percent },
  { name: 'validation', colour: '--validation', x: curves.epoch, y: curves.validationAccuracy, points: true, format: percent }] });
if (place('chart-rate')) lineChart(place('chart-rate'), { title: 'Learning rate by step', xLabel: 'step', height: 220, format: short, yMin: 0, series: [
  { name: 'learning rate', colour: '--accent', x: steps.step, y: steps.learningRate }] });
if (place('chart-steps')) lineChart(place('chart-steps'), { title: 'Loss of single steps', xLabel: 'step', height: 220, format: short, series: [
  { name: 'loss of a batch', colour: '--train', x: steps.step, y: steps.loss, faint: true }] });
if (place('chart-gradient')) lineChart(place('chart-gradient'), { title: 'Norm of the gradient', xLabel: 'step', height: 220, format: short, yMin: 0, series: [
  { name: 'norm of the gradient', colour: '--accent', x: steps.step, y: steps.gradientNorm, faint: true }] });
if (place('chart-range')) {
  const { rates, losses, suggestions, used } = rangeTest;
  const first = losses.map((one) => one[0]);
  const least = Math.min(...losses.flat().filter(Number.isFinite));
  const top = Math.max(...first) + 0.5 * (Math.max(...first) - least || 1);
  lineChart(place('chart-range'), { title: 'Range test: loss by learning rate', xLabel: 'learning rate', xLog: true, height: 260, format: short, yMax: top, marks: [
    { x: used, label: 'used ' + short(used) }, { x: suggestions.highest, label: 'highest ' + short(suggestions.highest) }],
    series: rates.map((x, i) => ({ name: rates.length > 1 ? 'seed ' + (i + 1) : 'loss', colour: ['--validation', '--train', '--accent'][i % 3], x, y: losses[i] })) });
}
const matrix = place('chart-matrix') ? confusionMatrix(place('chart-matrix'), { classes: report.data.classes, figures }) : null;
for (const button of document.querySelectorAll('button[data-confusion]')) button.addEventListener('click', () => matrix.focus(...button.dataset.confusion.split(',').map(Number)));
if (place('chart-coverage')) lineChart(place('chart-coverage'), { title: 'Share right by share answered', xLabel: 'share answered', xFormat: (v) => percent(v, 0), yMax: 1, height: 380, format: (v) => percent(v, 0), series: [
  { name: 'right', colour: '--validation', x: figures.coverage.map((one) => one.answered), y: figures.coverage.map((one) => one.accuracy), format: percent }],
  more: (x) => { const one = figures.coverage.find(({ answered }) => answered === x); return one ? [{ name: 'when at least so sure', value: percent(one.threshold, 0) }] : []; } });
if (place('chart-reliability')) reliabilityDiagram(place('chart-reliability'), figures);
document.documentElement.dataset.ready = 'true';
`;
