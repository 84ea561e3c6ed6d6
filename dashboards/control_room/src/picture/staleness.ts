/**
 * When a value is too old to be believed. The same rule as the server's `is_stale` (docs/http_api.md): three nominal
 * reporting intervals, at least 60 s; here it is applied to an age that grows while nothing arrives.
 * Source: ITU-R M.1371-5, annex 1, table 1 (class A) and table 2 (other stations).
 */
import { Station } from './target_bits.ts';

export const STALE_FLOOR_S = 60;
const INTERVALS_MISSED = 3;
const AT_ANCHOR = 1;
const MOORED = 5;
const AGROUND = 6;
/** Class A at rest reports every 3 min up to this speed, class B (whatever its status) up to the other, kn. */
const REST_KN = 3;
const CLASS_B_SLOW_KN = 2;
/** A target is lost, and drawn crossed at its last place, after twice the time that makes it stale. */
const LOST_FACTOR = 2;

export type Freshness = 'fresh' | 'stale' | 'lost';

/**
 * Nominal reporting interval, s.
 *
 * @param station see `Station`.
 * @param navStatus 0–14, 15 not defined.
 * @param sogKn speed over ground, kn, or null.
 */
export function reportingIntervalS(station: number, navStatus: number, sogKn: number | null): number {
  switch (station) {
    case Station.classA:
      return classAIntervalS(navStatus, sogKn ?? 0);
    case Station.classB:
      return sogKn !== null && sogKn <= CLASS_B_SLOW_KN ? 180 : 30;
    case Station.base:
    case Station.sarAircraft:
      return 10;
    case Station.survival:
      return 60;
    default:
      return 180;
  }
}

function classAIntervalS(navStatus: number, sogKn: number): number {
  const isAtRest = navStatus === AT_ANCHOR || navStatus === MOORED || navStatus === AGROUND;
  if (isAtRest && sogKn <= REST_KN) return 180;
  if (sogKn > 23) return 2;
  return sogKn > 14 ? 6 : 10;
}

/** Age from which a target's values are stale, s. */
export function staleAfterS(station: number, navStatus: number, sogKn: number | null): number {
  return Math.max(STALE_FLOOR_S, INTERVALS_MISSED * reportingIntervalS(station, navStatus, sogKn));
}

export function freshness(ageS: number, limitS: number): Freshness {
  if (ageS < limitS) return 'fresh';
  return ageS < LOST_FACTOR * limitS ? 'stale' : 'lost';
}

/** Age from which a fixed sensor's values are stale, s: as the server judges each kind. */
const SENSOR_STALE_S: Readonly<Record<string, number>> = {
  wind: 15,
  depth: 15,
  gnss_fix: 15,
  crane_sample: 10,
  berth_sample: 20,
  water_level: 900,
  weather: 900,
};

/**
 * Whether a sensor is stale now: the server said so, or its age has grown past its kind's limit since.
 *
 * @param ageS null where the age is unknown, which is not believed either.
 */
export function isSensorStale(kind: string, ageS: number | null, wasStale: boolean): boolean {
  return wasStale || ageS === null || ageS >= (SENSOR_STALE_S[kind] ?? STALE_FLOOR_S);
}

/** A gateway is online while a status came in the last 10 s (docs/http_api.md). */
export const GATEWAY_ONLINE_S = 10;

/** Age of an RFC 3339 time, s (never negative: two clocks may differ a little), or null where it is unknown. */
export function ageOf(observedAt: string | null, serverNowMs: number | null): number | null {
  if (observedAt === null || serverNowMs === null) return null;
  const at = Date.parse(observedAt);
  return Number.isFinite(at) ? Math.max(0, (serverNowMs - at) / 1000) : null;
}
