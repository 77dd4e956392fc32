/**
 * The confusion matrix of the page, for two classes as for a thousand: the classes that are taken for each other stand side by side, a cell
 * is read with the pointer or the arrow keys, zoomed into with buttons, + and −, a pinch or Ctrl and the wheel, and opened to see its pictures.
 */
export const scriptMatrix = `
function confusionMatrix(host, { classes, figures }) {
  const n = classes.length;
  const counts = new Map(figures.cells.map(([i, j, count]) => [i * n + j, count]));
  const support = figures.perClass.map((one) => one.support);
  const byName = classes.map((_, i) => i);
  let order = figures.order.length === n && n > 2 ? figures.order : byName;
  let shares = true;
  let zoom = 1;
  let offset = [0, 0];
  let cursor = null;
  const bar = make('div', { className: 'tools' });
  const canvas = make('canvas', { tabIndex: 0 });
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', 'Confusion matrix, ' + n + ' classes. Arrow keys move from cell to cell, plus and minus zoom, Enter shows the pictures of a cell.');
  const legend = make('p', { className: 'more', textContent: 'Rows: what it is. Columns: what it was taken for.' });
  const detail = make('div', { className: 'detail' });
  host.append(bar, canvas, legend, detail);
  const button = (text, label, act) => {
    const one = make('button', { type: 'button', textContent: text, title: label });
    one.setAttribute('aria-label', label);
    one.addEventListener('click', () => act(one));
    bar.append(one);
    return one;
  };
  const select = (label, options, act) => {
    const one = make('select', {}, ...options.map(([value, text]) => make('option', { value, textContent: text })));
    one.setAttribute('aria-label', label);
    one.addEventListener('change', () => act(one.value));
    bar.append(one);
  };
  if (n > 2) select('Order of the classes', [['near', 'alike side by side'], ['name', 'by name'], ['recall', 'weakest first']], (value) => {
    order = value === 'near' ? figures.order : value === 'name' ? byName : [...byName].sort((a, b) => figures.perClass[a].recall - figures.perClass[b].recall);
    draw();
  });
  select('What a cell says', [['share', 'share of its row'], ['count', 'number']], (value) => { shares = value === 'share'; draw(); });
  button('−', 'Zoom out', () => zoomTo(zoom / 1.6));
  button('+', 'Zoom in', () => zoomTo(zoom * 1.6));
  button('All', 'Show all classes', () => { zoom = 1; offset = [0, 0]; draw(); });
  const view = {};
  const clampOffset = () => {
    const most = n - n / zoom;
    offset = offset.map((value) => Math.max(0, Math.min(most, value)));
  };
  function zoomTo(wanted, at) {
    const before = n / zoom;
    zoom = Math.max(1, Math.min(Math.max(1, n / 4), wanted));
    const after = n / zoom;
    const [fx, fy] = at ?? (cursor ? [(cursor[1] + 0.5 - offset[0]) / before, (cursor[0] + 0.5 - offset[1]) / before] : [0.5, 0.5]);
    offset = [offset[0] + fx * (before - after), offset[1] + fy * (before - after)];
    draw();
  }
  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  function mix(from, to, share) {
    const [a, b] = [channels(from), channels(to)];
    return 'rgb(' + a.map((value, i) => Math.round(value + share * (b[i] - value))).join(',') + ')';
  }
  const cut = (context, text, most) => {
    if (context.measureText(text).width <= most) return text;
    let end = text.length;
    while (end > 1 && context.measureText(text.slice(0, end) + '…').width > most) end--;
    return text.slice(0, end) + '…';
  };
  function draw() {
    clampOffset();
    const outer = host.clientWidth;
    const context = canvas.getContext('2d');
    context.font = (n > 40 ? '9.5px' : '600 13px') + ' system-ui, sans-serif';
    const longest = Math.max(...classes.map((name) => context.measureText(name).width));
    const margin = Math.round(Math.min(outer * 0.3, 170, 14 + longest));
    const side = Math.round(Math.min(outer - margin - 2, Math.max(260, n * 84), n > 30 ? 900 : 640));
    const head = Math.round(Math.min(150, 14 + longest));
    const [width, height] = [margin + side, head + side];
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = width + 'px';
    canvas.style.height = height + 'px';
    // A finger scrolls the page until there is something to move inside.
    canvas.style.touchAction = zoom > 1 ? 'none' : 'pan-y';
    context.scale(ratio, ratio);
    context.clearRect(0, 0, width, height);
    const cell = side * zoom / n;
    Object.assign(view, { margin, head, side, cell });
    const [stage, ink, soft, good, bad, accent] = ['--stage', '--ink', '--soft', '--right', '--wrong', '--accent'].map(colour);
    const X = (column) => margin + (column - offset[0]) * cell;
    const Y = (row) => head + (row - offset[1]) * cell;
    const [firstRow, lastRow] = [Math.floor(offset[1]), Math.min(n - 1, Math.ceil(offset[1] + n / zoom) - 1)];
    const [firstColumn, lastColumn] = [Math.floor(offset[0]), Math.min(n - 1, Math.ceil(offset[0] + n / zoom) - 1)];
    context.save();
    context.beginPath();
    context.rect(margin, head, side, side);
    context.clip();
    context.fillStyle = stage;
    context.fillRect(margin, head, side, side);
    const gap = cell > 5 ? 1 : 0;
    let cellsShown = 0;
    for (let r = firstRow; r <= lastRow; r++) for (let c = firstColumn; c <= lastColumn; c++) {
      const [i, j] = [order[r], order[c]];
      const count = counts.get(i * n + j) ?? 0;
      if (count === 0 && i !== j) continue;
      const share = support[i] === 0 ? 0 : count / support[i];
      // Mistakes are few: a root lets one in twenty be seen.
      context.fillStyle = i === j ? mix(stage, good, 0.12 + 0.88 * share) : mix(stage, bad, Math.min(1, (cell < 12 ? 0.3 : 0.1) + 0.9 * Math.sqrt(share)));
      context.fillRect(X(c), Y(r), cell - gap, cell - gap);
      cellsShown++;
      const text = shares ? (cell > 44 ? percent(share, 0) : String(Math.round(100 * share))) : String(count);
      if (cell >= 20) {
        context.font = Math.min(15, Math.max(9.5, cell * 0.32)) + 'px system-ui, sans-serif';
        context.textAlign = 'center';
        context.textBaseline = 'middle';
        context.fillStyle = (i === j ? share : Math.sqrt(share)) > 0.55 ? colour('--on-fill') : ink;
        context.fillText(text, X(c) + cell / 2, Y(r) + cell / 2);
      }
    }
    if (cursor) {
      context.fillStyle = accent;
      context.globalAlpha = 0.16;
      context.fillRect(margin, Y(cursor[0]), side, cell);
      context.fillRect(X(cursor[1]), head, cell, side);
      context.globalAlpha = 1;
      context.strokeStyle = accent;
      context.lineWidth = 2;
      context.strokeRect(X(cursor[1]), Y(cursor[0]), cell, cell);
    }
    context.restore();
    // Names: as many as there is room for, and always those of the cell that is looked at.
    const size = Math.min(13, Math.max(8.5, cell * 0.92));
    const every = Math.max(1, Math.ceil(size / cell));
    let labels = 0;
    const named = (position, own) => own !== undefined && position === own;
    for (const rows of [true, false]) {
      const [first, last] = rows ? [firstRow, lastRow] : [firstColumn, lastColumn];
      const own = cursor?.[rows ? 0 : 1];
      for (let p = first; p <= last; p++) {
        const at = (rows ? Y(p) : X(p)) + cell / 2;
        if (at < (rows ? head : margin) - 1 || at > (rows ? head : margin) + side + 1) continue;
        if (!named(p, own) && (p % every !== 0 || (own !== undefined && Math.abs(p - own) * cell < size * 1.1))) continue;
        context.font = (named(p, own) ? '600 ' + Math.max(size, 12) : size) + 'px system-ui, sans-serif';
        context.fillStyle = named(p, own) ? ink : soft;
        context.save();
        if (rows) { context.translate(margin - 6, at); context.textAlign = 'right'; }
        else { context.translate(at, head - 6); context.rotate(-Math.PI / 2); context.textAlign = 'left'; }
        context.textBaseline = 'middle';
        context.fillText(cut(context, classes[order[p]], (rows ? margin : head) - 8), 0, 0);
        context.restore();
        if (rows) labels++;
      }
    }
    host.dataset.cell = cell.toFixed(2);
    host.dataset.labels = labels;
    host.dataset.cells = cellsShown;
    host.dataset.zoom = zoom.toFixed(2);
  }
  const lineOf = (row, column) => {
    const [i, j] = [order[row], order[column]];
    const count = counts.get(i * n + j) ?? 0;
    return [
      i === j ? classes[i] + ', named rightly' : classes[i] + ' taken for ' + classes[j],
      { name: 'of ' + grouped(support[i]) + ' ' + classes[i], value: grouped(count) + (support[i] ? ' · ' + percent(count / support[i]) : '') },
    ];
  };
  function pointAt(row, column, x, y) {
    cursor = [row, column];
    draw();
    const box = canvas.getBoundingClientRect();
    showTip(lineOf(row, column), x ?? box.left + view.margin + (column + 1 - offset[0]) * view.cell, y ?? box.top + view.head + (row + 0.5 - offset[1]) * view.cell, x === undefined ? () => pointAt(row, column) : null);
  }
  function cellAt(event) {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left - view.margin, event.clientY - box.top - view.head];
    if (x < 0 || y < 0 || x >= view.side || y >= view.side) return null;
    return [Math.min(n - 1, Math.floor(offset[1] + y / view.cell)), Math.min(n - 1, Math.floor(offset[0] + x / view.cell))];
  }
  function open(row, column) {
    const [i, j] = [order[row], order[column]];
    const [head, { value }] = lineOf(row, column);
    const found = figures.mistakes.filter((one) => one.target === i && one.predicted === j);
    const strip = make('div', { className: 'strip' }, ...found.slice(0, 48).map(figureOf));
    detail.replaceChildren(make('h3', {}, head, make('small', { textContent: value })), i === j ? make('p', { className: 'more', textContent: 'Only mistakes are kept with their pictures.' }) : found.length ? strip : make('p', { className: 'more', textContent: 'None.' }));
    fillPictures(detail);
  }
  const leave = () => { cursor = null; hideTip(); draw(); };
  const pointers = new Map();
  let moved = 0;
  let spread = 0;
  canvas.addEventListener('pointerdown', (event) => {
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    moved = 0;
    if (pointers.size === 2) { const [a, b] = [...pointers.values()]; spread = Math.hypot(a[0] - b[0], a[1] - b[1]); }
    const cell = cellAt(event);
    if (cell) pointAt(...cell, event.clientX, event.clientY);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (atRest(event)) return;
    const before = pointers.get(event.pointerId);
    if (before) {
      const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
      moved += Math.abs(dx) + Math.abs(dy);
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      if (pointers.size === 2) {
        const [a, b] = [...pointers.values()];
        const now = Math.hypot(a[0] - b[0], a[1] - b[1]);
        const box = canvas.getBoundingClientRect();
        if (spread > 0) zoomTo(zoom * now / spread, [((a[0] + b[0]) / 2 - box.left - view.margin) / view.side, ((a[1] + b[1]) / 2 - box.top - view.head) / view.side]);
        spread = now;
        return;
      }
      if (zoom > 1 && moved > 4) { offset = [offset[0] - dx / view.cell, offset[1] - dy / view.cell]; hideTip(); draw(); return; }
    }
    const cell = cellAt(event);
    if (cell) pointAt(...cell, event.clientX, event.clientY);
    else if (cursor && document.activeElement !== canvas) leave();
  });
  const lift = (event) => {
    if (event.type === 'pointerup' && moved < 6 && pointers.size === 1) { const cell = cellAt(event); if (cell) open(...cell); }
    pointers.delete(event.pointerId);
    spread = 0;
  };
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);
  canvas.addEventListener('pointerleave', (event) => { if (atRest(event)) return; pointers.delete(event.pointerId); if (document.activeElement !== canvas) leave(); else hideTip(); });
  canvas.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoomTo(zoom * Math.exp(-event.deltaY / 200), [(event.clientX - box.left - view.margin) / view.side, (event.clientY - box.top - view.head) / view.side]);
  }, { passive: false });
  canvas.addEventListener('blur', leave);
  canvas.addEventListener('keydown', (event) => {
    const [row, column] = cursor ?? [Math.floor(offset[1]), Math.floor(offset[0])];
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key in steps) {
      event.preventDefault();
      const [dr, dc] = cursor === null ? [0, 0] : steps[event.key];
      const next = [Math.max(0, Math.min(n - 1, row + dr)), Math.max(0, Math.min(n - 1, column + dc))];
      const seen = n / zoom;
      if (next[0] < offset[1]) offset[1] = next[0];
      if (next[0] + 1 > offset[1] + seen) offset[1] = next[0] + 1 - seen;
      if (next[1] < offset[0]) offset[0] = next[1];
      if (next[1] + 1 > offset[0] + seen) offset[0] = next[1] + 1 - seen;
      clampOffset();
      pointAt(...next);
    } else if (event.key === '+' || event.key === '=') zoomTo(zoom * 1.6);
    else if (event.key === '-') zoomTo(zoom / 1.6);
    else if (event.key === 'Enter' && cursor) open(...cursor);
    else if (event.key === 'Escape') leave();
    else return;
    event.preventDefault();
  });
  draw();
  themed.push(draw);
  let width = host.clientWidth;
  new ResizeObserver(() => { if (host.clientWidth !== width) { width = host.clientWidth; draw(); } }).observe(host);
  return {
    /* Shows one confusion: from the list beside the matrix. */
    focus(target, predicted) {
      const [row, column] = [order.indexOf(target), order.indexOf(predicted)];
      if (n > 24) {
        zoom = Math.max(zoom, n / 14);
        offset = [column - n / zoom / 2, row - n / zoom / 2];
      }
      cursor = [row, column];
      draw();
      open(row, column);
      canvas.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
    },
  };
}
`;
