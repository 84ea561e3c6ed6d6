/**
 * The target symbols, made on demand for one palette and one pixel ratio and kept.
 *
 * After IMO SN.1/Circ.243 and IEC 62288, followed in look, without a claim of conformity: acute isosceles triangle
 * to the heading; smaller at rest; hollow when stale; crossed when lost; diamond for an aid to navigation; square for
 * a base station; crossed circle for a distress transmitter. A ship whose heading and course are unknown is a circle:
 * a triangle would invent a direction.
 */
import type { Freshness } from '../picture/staleness.ts';
import { Station } from '../picture/target_bits.ts';
import type { MapPalette } from './palette.ts';
import { rgb } from './palette.ts';
import { type Point, type Shape, type Sprite, rasterise } from './raster.ts';

export type SymbolKind = 'ship' | 'resting' | 'undirected' | 'base' | 'aton' | 'aircraft' | 'survival' | 'other';

const KIND_INDEX: Readonly<Record<SymbolKind, number>> = {
  ship: 0,
  resting: 1,
  undirected: 2,
  base: 3,
  aton: 4,
  aircraft: 5,
  survival: 6,
  other: 7,
};
const FRESHNESS_INDEX: Readonly<Record<Freshness, number>> = { fresh: 0, stale: 1, lost: 2 };
/** Directions drawn: 3 degrees apart, half of which is the largest error seen, less than a pixel at the bow. */
const DIRECTIONS = 120;
const EDGE_PX = 29;

/** Symbol of a target; `directionDeg` is its heading, or else its course, or null. */
export function symbolKind(stationCode: number, isResting: boolean, directionDeg: number | null): SymbolKind {
  switch (stationCode) {
    case Station.classA:
    case Station.classB:
      if (directionDeg === null) return 'undirected';
      return isResting ? 'resting' : 'ship';
    case Station.base:
      return 'base';
    case Station.aton:
      return 'aton';
    case Station.sarAircraft:
      return 'aircraft';
    case Station.survival:
      return 'survival';
    default:
      return 'other';
  }
}

export class SpriteAtlas {
  private readonly sprites: (Sprite | undefined)[] = new Array(8 * 3 * DIRECTIONS);

  /** @param ratio canvas pixels a CSS pixel. */
  constructor(
    private readonly palette: MapPalette,
    private readonly ratio: number,
  ) {}

  get(kind: SymbolKind, freshness: Freshness, directionDeg: number): Sprite {
    const isTurned = kind === 'ship' || kind === 'resting' || kind === 'aircraft';
    const step = isTurned ? Math.round((directionDeg / 360) * DIRECTIONS) % DIRECTIONS : 0;
    const index = (KIND_INDEX[kind] * 3 + FRESHNESS_INDEX[freshness]) * DIRECTIONS + step;
    const known = this.sprites[index];
    if (known !== undefined) return known;
    const made = this.make(kind, freshness, (step / DIRECTIONS) * 2 * Math.PI);
    this.sprites[index] = made;
    return made;
  }

  private make(kind: SymbolKind, freshness: Freshness, turnRad: number): Sprite {
    const size = Math.ceil(EDGE_PX * this.ratio) | 1;
    const shapes = symbolShapes(kind, freshness, this.palette);
    if (freshness === 'lost') shapes.push(...cross(7, rgb(this.palette.stale), 1.5));
    return rasterise(
      size,
      shapes.map((shape) => placed(shape, turnRad, this.ratio)),
    );
  }
}

/** Outlines, px, bow up: x and y in turn. */
const OUTLINES = {
  ship: pairs(0, -11, 5.2, 8, -5.2, 8),
  resting: pairs(0, -7, 3.6, 5.5, -3.6, 5.5),
  undirected: circle(4.5),
  base: pairs(-4, -4, 4, -4, 4, 4, -4, 4),
  aton: pairs(0, -6, 6, 0, 0, 6, -6, 0),
  aircraft: pairs(0, -10, 2, -2, 9, 3, 9, 5, 2, 3, 1.4, 9, -1.4, 9, -2, 3, -9, 5, -9, 3, -2, -2),
  survival: circle(9),
  other: circle(3.2),
} as const satisfies Record<SymbolKind, Point[]>;

function symbolShapes(kind: SymbolKind, freshness: Freshness, palette: MapPalette): Shape[] {
  const isFresh = freshness === 'fresh';
  const edge = rgb(isFresh ? palette.shipEdge : palette.stale);
  const fills: Partial<Record<SymbolKind, string>> = {
    ship: palette.ship,
    aircraft: palette.ship,
    resting: palette.rest,
    undirected: palette.rest,
  };
  const fill = fills[kind];
  const body: Shape = {
    points: OUTLINES[kind],
    isClosed: true,
    fill: isFresh ? rgb(fill ?? palette.halo) : null,
    stroke: edge,
    strokeWidth: 1.4,
    fillAlpha: fill === undefined ? 0.6 : 1,
  };
  if (kind === 'base' || kind === 'aton') return [body, ...plus(2.5, edge)];
  if (kind !== 'survival') return [body];
  const alarm = rgb(isFresh ? palette.alarm : palette.stale);
  return [{ ...body, stroke: alarm, strokeWidth: 2.2 }, ...cross(6, alarm, 2.2)];
}

function pairs(...numbers: number[]): Point[] {
  return Array.from({ length: numbers.length / 2 }, (_, i): Point => [numbers[2 * i]!, numbers[2 * i + 1]!]);
}

function line(points: Point[], stroke: readonly [number, number, number], strokeWidth: number): Shape {
  return { points, isClosed: false, fill: null, stroke, strokeWidth, fillAlpha: 0 };
}

function cross(reach: number, stroke: readonly [number, number, number], width: number): Shape[] {
  return [
    line(
      [
        [-reach, -reach],
        [reach, reach],
      ],
      stroke,
      width,
    ),
    line(
      [
        [-reach, reach],
        [reach, -reach],
      ],
      stroke,
      width,
    ),
  ];
}

function plus(reach: number, stroke: readonly [number, number, number]): Shape[] {
  return [
    line(
      [
        [-reach, 0],
        [reach, 0],
      ],
      stroke,
      1.2,
    ),
    line(
      [
        [0, -reach],
        [0, reach],
      ],
      stroke,
      1.2,
    ),
  ];
}

function circle(radius: number): Point[] {
  return Array.from({ length: 24 }, (_, i): Point => {
    const angle = (i / 24) * 2 * Math.PI;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function placed(shape: Shape, turnRad: number, ratio: number): Shape {
  const cos = Math.cos(turnRad) * ratio;
  const sin = Math.sin(turnRad) * ratio;
  const points = shape.points.map(([x, y]): Point => [x * cos - y * sin, x * sin + y * cos]);
  return { ...shape, points, strokeWidth: shape.strokeWidth * ratio };
}
