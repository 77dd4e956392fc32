/** Line charts of the page: drawn to the width there is, read with the pointer, a finger or the arrow keys. */
export const scriptLines = `
const niceStep = (span, most) => {
  const raw = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 2.5, 5, 10].find((step) => step * power >= raw * 0.999);
};
const ticksOf = (low, high, most, log) => {
  if (log) {
    const all = [];
    for (let p = Math.ceil(Math.log10(low) - 1e-9); p <= Math.log10(high) + 1e-9; p++) all.push(10 ** p);
    if (all.length < 2) for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p++) for (const f of [2, 5]) if (f * 10 ** p >= low && f * 10 ** p <= high) all.push(f * 10 ** p);
    return all.sort((a, b) => a - b);
  }
  const step = niceStep(high - low || 1, most);
  const all = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) all.push(Number((i * step).toPrecision(12)));
  return all;
};

/**
 * host: an element. spec: { title, xLabel, format, xFormat, xLog, series: [{ name, colour, x, y, points }], marks: [{ x, label, kind }], yMin, yMax, xName }
 */
function lineChart(host, spec) {
  const box = make('div', { className: 'plot', tabIndex: 0 });
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', spec.title + '. Arrow keys read the values.');
  const legend = make('div', { className: 'legend' });
  host.append(legend, box);
  const off = new Set();
  let place = -1;
  for (const series of spec.series) {
    const button = make('button', { type: 'button' }, make('i', { style: 'background:var(' + series.colour + ')' }), series.name);
    button.setAttribute('aria-pressed', 'true');
    button.addEventListener('click', () => {
      if (!off.delete(series.name)) { if (off.size === spec.series.length - 1) return; off.add(series.name); }
      button.setAttribute('aria-pressed', String(!off.has(series.name)));
      draw();
    });
    legend.append(button);
  }
  legend.hidden = spec.series.length < 2;
  const state = {};
  const visible = () => spec.series.filter(({ name }) => !off.has(name));
  function draw() {
    const width = Math.max(240, box.clientWidth);
    const height = Math.round(Math.min(spec.height ?? 300, Math.max(200, width * 0.62)));
    const shown = visible();
    const pairs = shown.flatMap(({ x, y }) => x.map((v, i) => [v, y[i]])).filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b) && !(spec.xLog && a <= 0));
    if (pairs.length === 0) { box.replaceChildren(make('p', { className: 'more', textContent: 'Nothing was measured.' })); return; }
    let [xLow, xHigh] = [Math.min(...pairs.map((p) => p[0])), Math.max(...pairs.map((p) => p[0]))];
    let [yLow, yHigh] = [spec.yMin ?? Math.min(...pairs.map((p) => p[1])), spec.yMax ?? Math.max(...pairs.map((p) => p[1]))];
    if (xLow === xHigh) { xLow -= 0.5; xHigh += 0.5; }
    if (yLow === yHigh) { yLow -= Math.abs(yLow) * 0.1 || 0.5; yHigh += Math.abs(yHigh) * 0.1 || 0.5; }
    if (spec.yMin === undefined) yLow -= (yHigh - yLow) * 0.05;
    if (spec.yMax === undefined) yHigh += (yHigh - yLow) * 0.05;
    const yTicks = ticksOf(yLow, yHigh, height / 46, false);
    const labels = yTicks.map(spec.format);
    const left = 14 + 7 * Math.max(...labels.map((label) => label.length));
    const [right, bottom] = [14, 40];
    const scale = (v) => spec.xLog ? Math.log(v / xLow) / Math.log(xHigh / xLow) : (v - xLow) / (xHigh - xLow);
    const X = (v) => left + (width - left - right) * scale(v);
    /* Labels of marks that are near each other stand one above the other. */
    const ends = [];
    const marked = [...(spec.marks ?? [])].filter(({ x }) => x >= xLow && x <= xHigh).sort((a, b) => a.x - b.x).map((mark) => {
      const wide = 7.2 * mark.label.length;
      const start = Math.max(2, Math.min(width - wide - 2, X(mark.x) - wide / 2));
      let line = ends.findIndex((end) => start > end);
      if (line < 0) line = ends.length;
      ends[line] = start + wide + 8;
      return { ...mark, start, line };
    });
    const top = ends.length === 0 ? 10 : 8 + 18 * ends.length;
    const Y = (v) => top + (height - top - bottom) * (1 - (v - yLow) / (yHigh - yLow));
    const svg = drawn('svg', { width, height, viewBox: '0 0 ' + width + ' ' + height, 'aria-hidden': 'true' });
    yTicks.forEach((tick, i) => svg.append(
      drawn('line', { class: 'axis', x1: left, x2: width - right, y1: Y(tick), y2: Y(tick) }),
      drawn('text', { x: left - 8, y: Y(tick) + 4, 'text-anchor': 'end' }, labels[i])));
    for (const tick of ticksOf(xLow, xHigh, width / 80, spec.xLog)) {
      if (spec.whole && !Number.isInteger(tick)) continue;
      svg.append(drawn('text', { x: X(tick), y: height - bottom + 18, 'text-anchor': 'middle' }, (spec.xFormat ?? short)(tick)));
    }
    svg.append(drawn('text', { x: (left + width - right) / 2, y: height - 5, 'text-anchor': 'middle' }, spec.xLabel));
    for (const { x, label, kind = '', start, line } of marked) svg.append(
      drawn('line', { class: 'mark ' + kind, x1: X(x), x2: X(x), y1: top - 4, y2: height - bottom }),
      drawn('text', { class: 'mark-label ' + kind, x: start, y: 14 + 18 * line }, label));
    for (const { x, y, colour: name, points, faint } of shown) {
      let path = '';
      let open = false;
      x.forEach((v, i) => {
        if (!Number.isFinite(y[i]) || (spec.xLog && v <= 0)) { open = false; return; }
        path += (open ? 'L' : 'M') + X(v).toFixed(1) + ' ' + Y(Math.min(Math.max(y[i], yLow), yHigh)).toFixed(1);
        open = true;
      });
      svg.append(drawn('path', { class: faint ? 'line faint' : 'line', d: path, style: 'stroke:var(' + name + ')' }));
      if (points && x.length <= 60) x.forEach((v, i) => Number.isFinite(y[i]) && svg.append(drawn('circle', { cx: X(v), cy: Y(y[i]), r: 2.6, style: 'fill:var(' + name + ')' })));
    }
    const cursor = drawn('g', { class: 'cursor' });
    svg.append(cursor);
    box.replaceChildren(svg);
    Object.assign(state, { X, Y, xLow, xHigh, yLow, yHigh, left, right, top, bottom, width, height, cursor, xs: [...new Set(shown.flatMap(({ x }) => x))].filter((v) => v >= xLow && v <= xHigh).sort((a, b) => a - b) });
  }
  function show(i, x, y) {
    place = Math.max(0, Math.min(state.xs.length - 1, i));
    const at = state.xs[place];
    const px = state.X(at);
    state.cursor.replaceChildren(drawn('line', { x1: px, x2: px, y1: state.top, y2: state.height - state.bottom }));
    const rows = [];
    for (const { name, colour: own, x: xs, y: ys, format } of visible()) {
      const j = xs.indexOf(at);
      if (j < 0 || !Number.isFinite(ys[j])) continue;
      state.cursor.append(drawn('circle', { cx: px, cy: state.Y(Math.min(Math.max(ys[j], state.yLow), state.yHigh)), r: 4.5, style: 'fill:var(' + own + ')' }));
      rows.push({ name, colour: 'var(' + own + ')', value: (format ?? spec.format)(ys[j]) });
    }
    rows.push(...(spec.more?.(at) ?? []));
    const box_ = box.getBoundingClientRect();
    const label = (spec.marks ?? []).filter((one) => one.x === at).map(({ label }) => label).join(', ');
    showTip([(spec.xName ?? spec.xLabel) + ' ' + (spec.xFormat ?? short)(at) + (label ? ' · ' + label : ''), ...rows], x ?? box_.left + px, y ?? box_.top + state.height / 2, x === undefined ? () => show(i) : null);
  }
  const leave = () => { state.cursor?.replaceChildren(); hideTip(); };
  const follow = (event) => {
    if (!state.xs?.length || atRest(event)) return;
    const px = event.clientX - box.getBoundingClientRect().left;
    let best = 0;
    state.xs.forEach((v, i) => { if (Math.abs(state.X(v) - px) < Math.abs(state.X(state.xs[best]) - px)) best = i; });
    show(best, event.clientX, event.clientY);
  };
  box.addEventListener('pointermove', follow);
  box.addEventListener('pointerdown', follow);
  box.addEventListener('pointerleave', (event) => { if (!atRest(event)) leave(); });
  box.addEventListener('blur', leave);
  box.addEventListener('keydown', (event) => {
    if (!state.xs?.length) return;
    const moves = { ArrowRight: place + 1, ArrowLeft: place < 0 ? state.xs.length - 1 : place - 1, PageDown: place + 10, PageUp: place - 10, Home: 0, End: state.xs.length - 1 };
    if (event.key === 'Escape') { place = -1; leave(); return; }
    if (!(event.key in moves)) return;
    event.preventDefault();
    show(moves[event.key]);
  });
  draw();
  new ResizeObserver(() => { if (Math.abs(box.clientWidth - (state.width ?? 0)) > 1) draw(); }).observe(box);
}
`;
