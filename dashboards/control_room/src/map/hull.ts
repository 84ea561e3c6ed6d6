/** Outline of a ship to scale, from the distances that she reports around her reference point. */
import type { StaticData } from '../wire/frame.ts';

export interface HullSize {
  bowM: number;
  sternM: number;
  portM: number;
  starboardM: number;
}

/** Shortest hull drawn to scale, CSS px: below it a symbol is easier to see. */
export const MIN_HULL_PX = 26;

/** Dimensions if all are known and the ship has a length and a beam, else null. */
export function hullSize(data: StaticData | undefined): HullSize | null {
  if (data === undefined) return null;
  const { to_bow_m: bowM, to_stern_m: sternM, to_port_m: portM, to_starboard_m: starboardM } = data;
  if (bowM === undefined || sternM === undefined || portM === undefined || starboardM === undefined) return null;
  return bowM + sternM > 0 && portM + starboardM > 0 ? { bowM, sternM, portM, starboardM } : null;
}

/**
 * Corner points around the reference point, px, y down.
 *
 * @param pxPerM CSS pixels a metre on the ground.
 */
export function hullOutline(size: HullSize, headingDeg: number, pxPerM: number): [number, number][] {
  const shoulder = size.bowM - (size.bowM + size.sternM) * 0.16;
  const keel = (size.starboardM - size.portM) / 2;
  const ahead: [number, number][] = [
    [-size.portM, -size.sternM],
    [-size.portM, shoulder],
    [keel, size.bowM],
    [size.starboardM, shoulder],
    [size.starboardM, -size.sternM],
  ];
  const cos = Math.cos((headingDeg * Math.PI) / 180) * pxPerM;
  const sin = Math.sin((headingDeg * Math.PI) / 180) * pxPerM;
  return ahead.map(([right, forward]) => [right * cos + forward * sin, right * sin - forward * cos]);
}
