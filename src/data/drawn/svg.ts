/** The few SVG elements that flowers are made of, collected in drawing order. */

/** A number with two decimals at most: short files, the same text on every machine. */
export const round = (value: number): string => String(Math.round(value * 100) / 100);

export interface Stop {
  readonly offset: number;
  readonly colour: string;
  readonly opacity?: number;
}

const stopText = ({ offset, colour, opacity }: Stop) =>
  `<stop offset="${round(offset)}" stop-color="${colour}"${opacity === undefined ? '' : ` stop-opacity="${round(opacity)}"`}/>`;

/** A drawing of 100 × 100 units. */
export class Drawing {
  private readonly definitions: string[] = [];
  private readonly body: string[] = [];

  /** Appends an element. */
  add(element: string): void {
    this.body.push(element);
  }

  path(d: string, fill: string, more = ''): void {
    this.body.push(`<path d="${d}" fill="${fill}"${more === '' ? '' : ` ${more}`}/>`);
  }

  stroke(d: string, colour: string, width: number, more = ''): void {
    this.body.push(
      `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${round(width)}" stroke-linecap="round"${more === '' ? '' : ` ${more}`}/>`,
    );
  }

  ellipse(x: number, y: number, rx: number, ry: number, fill: string, more = ''): void {
    this.body.push(
      `<ellipse cx="${round(x)}" cy="${round(y)}" rx="${round(rx)}" ry="${round(ry)}" fill="${fill}"${more === '' ? '' : ` ${more}`}/>`,
    );
  }

  circle(x: number, y: number, radius: number, fill: string, more = ''): void {
    this.ellipse(x, y, radius, radius, fill, more);
  }

  rectangle(fill: string, more = ''): void {
    this.body.push(`<rect width="100" height="100" fill="${fill}"${more === '' ? '' : ` ${more}`}/>`);
  }

  /** What `draw` adds is moved, turned and scaled together. */
  group(transform: string, draw: () => void, more = ''): void {
    this.body.push(`<g transform="${transform}"${more === '' ? '' : ` ${more}`}>`);
    draw();
    this.body.push('</g>');
  }

  /** @returns a fill: `url(#…)` */
  linear(x1: number, y1: number, x2: number, y2: number, stops: readonly Stop[], units = 'userSpaceOnUse'): string {
    const id = `l${this.definitions.length}`;
    this.definitions.push(
      `<linearGradient id="${id}" gradientUnits="${units}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}">${stops.map(stopText).join('')}</linearGradient>`,
    );
    return `url(#${id})`;
  }

  /** A radial gradient in the units of the group it is used in. @returns a fill: `url(#…)` */
  radial(x: number, y: number, radius: number, stops: readonly Stop[]): string {
    const id = `r${this.definitions.length}`;
    this.definitions.push(
      `<radialGradient id="${id}" gradientUnits="userSpaceOnUse" cx="${round(x)}" cy="${round(y)}" r="${round(radius)}">${stops.map(stopText).join('')}</radialGradient>`,
    );
    return `url(#${id})`;
  }

  /** A disc that fades out towards its rim, for things out of focus. @returns a fill */
  soft(colour: string, opacity: number, core = 0.3): string {
    const id = `s${this.definitions.length}`;
    this.definitions.push(
      `<radialGradient id="${id}">${stopText({ offset: core, colour, opacity })}${stopText({ offset: 1, colour, opacity: 0 })}</radialGradient>`,
    );
    return `url(#${id})`;
  }

  /** The whole picture at `size` × `size` pixels. */
  toSvg(size: number): string {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 100 100"><defs>${this.definitions.join('')}</defs>${this.body.join('')}</svg>`;
  }
}
