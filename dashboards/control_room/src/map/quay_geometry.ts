/**
 * Places along a quay: a crane says how many metres of chainage it stands at, the chart says where the quay is.
 * Mercator metres throughout; which side is water is told by the berths that lie along the quay.
 */
import type { Chart } from './chart.ts';
import { mercatorScale, mercatorX, mercatorY } from './projection.ts';

export interface QuayPlace {
  x: number;
  y: number;
  /** Unit vector along the quay, towards higher chainage. */
  along: [number, number];
  /** Unit vector to the water. */
  seaward: [number, number];
  /** Mercator metres a metre on the ground. */
  scale: number;
}

export interface QuayLine {
  points: [number, number][];
  lengthM: number;
  waterSide: 1 | -1;
  scale: number;
}

/** Build the lines of all quays of a chart, by quay id. */
export function quayLines(chart: Chart): Map<string, QuayLine> {
  const lines = new Map<string, QuayLine>();
  for (const quay of chart.ofKind('quay')) {
    if (quay.geometry.type !== 'LineString') continue;
    const coordinates = quay.geometry.coordinates as [number, number][];
    if (coordinates.length < 2) continue;
    const points = coordinates.map(([lon, lat]): [number, number] => [mercatorX(lon), mercatorY(lat)]);
    const scale = mercatorScale(coordinates[0]![1]);
    const lengthM = typeof quay.properties['length_m'] === 'number' ? quay.properties['length_m'] : 0;
    lines.set(quay.properties.id, {
      points,
      lengthM,
      waterSide: waterSideOf(chart, quay.properties.id, points),
      scale,
    });
  }
  return lines;
}

/**
 * Place at a chainage, clamped to the quay.
 *
 * @param chainageM metres from the first point of the line.
 */
export function placeOnQuay(line: QuayLine, chainageM: number): QuayPlace {
  let left = Math.max(0, chainageM) * line.scale;
  for (let i = 0; i + 1 < line.points.length; i += 1) {
    const [ax, ay] = line.points[i]!;
    const [bx, by] = line.points[i + 1]!;
    const length = Math.hypot(bx - ax, by - ay);
    const isLast = i + 2 === line.points.length;
    if (left <= length || isLast) {
      const part = Math.min(left, length);
      const along: [number, number] = [(bx - ax) / length, (by - ay) / length];
      return {
        x: ax + along[0] * part,
        y: ay + along[1] * part,
        along,
        seaward: [-along[1] * line.waterSide, along[0] * line.waterSide],
        scale: line.scale,
      };
    }
    left -= length;
  }
  throw new Error('a quay line has at least two points');
}

function waterSideOf(chart: Chart, quay: string, points: [number, number][]): 1 | -1 {
  const [ax, ay] = points[0]!;
  const [bx, by] = points[points.length - 1]!;
  for (const berth of chart.ofKind('berth')) {
    if (berth.properties['quay'] !== quay || berth.geometry.type !== 'Polygon') continue;
    const ring = (berth.geometry.coordinates as [number, number][][])[0]!;
    let side = 0;
    for (const [lon, lat] of ring) side += (bx - ax) * (mercatorY(lat) - ay) - (by - ay) * (mercatorX(lon) - ax);
    return side >= 0 ? 1 : -1;
  }
  return 1;
}
