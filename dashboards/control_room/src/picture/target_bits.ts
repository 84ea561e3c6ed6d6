/** The packed `bits` column of a target and the sentinels of its numbers. Source: docs/live_wire.md, section 1. */
import { NOT_AVAILABLE_HEADING, NOT_AVAILABLE_STATUS, NOT_AVAILABLE_U16 } from '../wire/frame.ts';

export const Station = {
  classA: 0,
  classB: 1,
  base: 2,
  aton: 3,
  sarAircraft: 4,
  survival: 5,
  other: 7,
} as const;

export const STATION_KEYS = [
  'class_a',
  'class_b',
  'base',
  'aton',
  'sar_aircraft',
  'survival',
  'unknown',
  'unknown',
] as const;

/** True heading, degrees 0–359, or null. */
export function headingDeg(bits: number): number | null {
  const heading = bits & 0x1ff;
  return heading === NOT_AVAILABLE_HEADING ? null : heading;
}

/** Navigational status 0–15; 15 is "not defined". */
export function navStatus(bits: number): number {
  return (bits >> 9) & 0xf;
}

export function station(bits: number): number {
  return (bits >> 13) & 0x7;
}

/** Speed over ground, kn, or null. */
export function sogKn(sog: number): number | null {
  return sog === NOT_AVAILABLE_U16 ? null : sog / 10;
}

/** Course over ground, degrees true, or null. */
export function cogDeg(cog: number): number | null {
  return cog === NOT_AVAILABLE_U16 ? null : cog / 10;
}

export const NAV_STATUS_UNDEFINED = NOT_AVAILABLE_STATUS;
