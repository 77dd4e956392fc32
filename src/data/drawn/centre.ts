/** What is in the middle of a flower: disc, seeds, stamens, a trumpet. */
import type { Draws } from '../random.js';
import { type Colour, colour, hex, shift } from './colour.js';
import { petal } from './petals.js';
import type { Centre } from './species.js';
import { type Drawing, round } from './svg.js';

/** The angle between successive seeds of a sunflower, in radians: 137.5 degrees. */
const golden = Math.PI * (3 - Math.sqrt(5));
const shadow = '#1a1020';

/** A disc that looks round: lit from above, with a shadow on the petals. */
function disc(drawing: Drawing, radius: number, inner: Colour, rim: Colour): void {
  drawing.circle(radius * 0.06, radius * 0.1, radius * 1.22, drawing.soft(shadow, 0.5, 0.6));
  const fill = drawing.radial(-radius * 0.25, -radius * 0.3, radius * 1.25, [
    { offset: 0, colour: hex(shift(inner, 2, 0, 12)) },
    { offset: 0.55, colour: hex(inner) },
    { offset: 1, colour: hex(rim) },
  ]);
  drawing.circle(0, 0, radius, fill);
}

/** Florets in the spiral of a sunflower. */
function florets(drawing: Drawing, radius: number, count: number, light: Colour, dark: Colour, size: number): void {
  for (let i = 0; i < count; i++) {
    const r = radius * Math.sqrt((i + 0.5) / count) * 0.96;
    const tone = i % 3 === 0 ? light : dark;
    drawing.circle(r * Math.cos(i * golden), r * Math.sin(i * golden), size, hex(tone), 'opacity="0.8"');
  }
}

function stamens(drawing: Drawing, centre: Extract<Centre, { kind: 'stamens' }>, radius: number, draws: Draws): void {
  const reach = centre.radius * radius;
  drawing.circle(0, 0, reach * 0.8, drawing.soft(hex(shift(centre.colour, 0, 0, -6)), 0.75, 0.3));
  let lines = '';
  const tips: [number, number][] = [];
  for (let i = 0; i < centre.count; i++) {
    const angle = (2 * Math.PI * (i + draws.uniform(-0.3, 0.3))) / centre.count;
    const r = reach * draws.uniform(0.72, 1.04);
    const x = r * Math.cos(angle);
    const y = r * Math.sin(angle);
    lines += `M0 0Q${round(x * 0.5 - y * 0.12)} ${round(y * 0.5 + x * 0.12)} ${round(x)} ${round(y)}`;
    tips.push([x, y]);
  }
  drawing.stroke(lines, hex(centre.colour), radius * 0.022);
  const size = centre.count < 10 ? 0.055 : 0.034;
  for (const [x, y] of tips) drawing.ellipse(x, y, radius * size, radius * size * 0.75, hex(centre.tips));
  const fill = drawing.radial(0, 0, reach * 0.36, [
    { offset: 0, colour: hex(shift(centre.colour, 0, 0, 16)) },
    { offset: 1, colour: hex(centre.colour) },
  ]);
  drawing.circle(0, 0, reach * (centre.count < 10 ? 0.14 : 0.36), fill);
}

/** The corona of a daffodil: a frilled cup one looks into. */
function trumpet(drawing: Drawing, centre: Extract<Centre, { kind: 'trumpet' }>, radius: number, draws: Draws): void {
  const reach = centre.radius * radius;
  drawing.circle(reach * 0.1, reach * 0.16, reach * 1.3, drawing.soft(shadow, 0.45, 0.6));
  const frills = 11 + draws.integer(4);
  let d = '';
  for (let i = 0; i < frills; i++) {
    const angle = (2 * Math.PI * i) / frills;
    const next = (2 * Math.PI * (i + 1)) / frills;
    const between = (angle + next) / 2;
    const out = reach * draws.uniform(1.12, 1.26);
    if (i === 0) d += `M${round(reach * Math.cos(angle))} ${round(reach * Math.sin(angle))}`;
    d += `Q${round(out * Math.cos(between))} ${round(out * Math.sin(between))} ${round(reach * Math.cos(next))} ${round(reach * Math.sin(next))}`;
  }
  const cup = drawing.radial(0, 0, reach * 1.1, [
    { offset: 0, colour: hex(shift(centre.colour, -10, 0, -28)) },
    { offset: 0.45, colour: hex(shift(centre.colour, -4, 0, -12)) },
    { offset: 0.8, colour: hex(centre.colour) },
    { offset: 1, colour: hex(shift(centre.rim, 4, 0, 4)) },
  ]);
  drawing.path(`${d}Z`, cup, `stroke="${hex(shift(centre.rim, 0, 0, -6))}" stroke-width="${round(radius * 0.025)}"`);
  let folds = '';
  for (let i = 0; i < frills; i++) {
    const angle = (2 * Math.PI * i) / frills;
    folds += `M${round(reach * 0.5 * Math.cos(angle))} ${round(reach * 0.5 * Math.sin(angle))}L${round(reach * 0.98 * Math.cos(angle))} ${round(reach * 0.98 * Math.sin(angle))}`;
  }
  drawing.stroke(folds, hex(shift(centre.rim, 0, 0, -12)), radius * 0.014, 'opacity="0.5"');
  for (let i = 0; i < 4; i++) {
    const angle = i * 1.6;
    drawing.circle(
      reach * 0.16 * Math.cos(angle),
      reach * 0.16 * Math.sin(angle),
      reach * 0.09,
      hex(colour(54, 90, 66)),
    );
  }
}

/** The long column of a hibiscus, bent towards the viewer. */
function column(drawing: Drawing, centre: Extract<Centre, { kind: 'column' }>, radius: number, draws: Draws): void {
  const reach = centre.radius * radius;
  drawing.circle(0, 0, radius * 0.2, drawing.soft(hex(shift(centre.rim, 0, 10, -26)), 0.9, 0.2));
  const angle = draws.uniform(0, 2 * Math.PI);
  const x = reach * Math.cos(angle);
  const y = reach * Math.sin(angle);
  const d = `M0 0Q${round(x * 0.5 + y * 0.15)} ${round(y * 0.5 - x * 0.15)} ${round(x)} ${round(y)}`;
  drawing.stroke(
    d,
    shadow,
    radius * 0.1,
    `opacity="0.2" transform="translate(${round(radius * 0.04)} ${round(radius * 0.06)})"`,
  );
  drawing.stroke(d, hex(centre.rim), radius * 0.075);
  drawing.stroke(d, hex(shift(centre.rim, 0, 0, 18)), radius * 0.03, 'opacity="0.8"');
  for (let i = 0; i < 20; i++) {
    const t = draws.uniform(0.45, 1);
    const off = draws.uniform(-0.1, 0.1) * radius;
    drawing.circle(x * t - (y / reach) * off, y * t + (x / reach) * off, radius * 0.03, hex(centre.colour));
  }
}

/** The closed heart of a rose: small petals wound into each other. */
function whorl(drawing: Drawing, reach: number, main: Colour, draws: Draws): void {
  const turn = draws.uniform(0, 360);
  for (let ring = 0; ring < 4; ring++) {
    const r = reach * (1 - ring * 0.22);
    const count = 3;
    for (let i = 0; i < count; i++) {
      const angle = turn + ring * 47 + (360 / count) * i + draws.uniform(-14, 14);
      const tone = shift(main, -ring * 1.5, 2, (ring % 2 === 0 ? 2 : -5) - ring * 4);
      const place = { angle, start: -r * 0.15, length: r * 1.02, halfWidth: r * 0.78, bend: 0.1 };
      drawing.path(
        petal('oval', place),
        hex(tone),
        `stroke="${hex(shift(tone, -3, 4, -17))}" stroke-width="${round(reach * 0.05)}"`,
      );
    }
  }
  const spiral = [0.34, 0.24, 0.14]
    .map(
      (r, i) =>
        `M${round(reach * r)} ${round(reach * 0.04 * i)}A${round(reach * r)} ${round(reach * r)} 0 1 1 ${round(reach * r * 0.4)} ${round(-reach * r * 0.9)}`,
    )
    .join('');
  drawing.stroke(
    spiral,
    hex(shift(main, -4, 4, -26)),
    reach * 0.07,
    `opacity="0.85" transform="rotate(${round(turn)})"`,
  );
}

export function drawCentre(drawing: Drawing, centre: Centre, main: Colour, radius: number, draws: Draws): void {
  const reach = centre.radius * radius;
  switch (centre.kind) {
    case 'dome':
      disc(drawing, reach, centre.colour, centre.rim);
      florets(drawing, reach, 34, shift(centre.colour, 4, 0, 14), centre.rim, reach * 0.1);
      break;
    case 'seeds':
      disc(drawing, reach, centre.colour, centre.rim);
      florets(drawing, reach, 70, shift(centre.rim, 4, 8, 16), shift(centre.colour, 0, 0, -9), reach * 0.065);
      drawing.circle(0, 0, reach * 0.34, drawing.soft(hex(colour(70, 40, 22)), 0.7, 0.4));
      break;
    case 'eye':
      drawing.circle(0, 0, reach * 1.5, drawing.soft(hex(centre.rim), 0.8, 0.4));
      drawing.circle(
        0,
        0,
        reach,
        hex(centre.colour),
        `stroke="${hex(centre.rim)}" stroke-width="${round(reach * 0.25)}"`,
      );
      break;
    case 'stamens':
      stamens(drawing, centre, radius, draws);
      break;
    case 'trumpet':
      trumpet(drawing, centre, radius, draws);
      break;
    case 'column':
      column(drawing, centre, radius, draws);
      break;
    case 'whorl':
      whorl(drawing, reach, main, draws);
  }
}
