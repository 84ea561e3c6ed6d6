/**
 * What a live frame holds once decoded: the vocabulary of `docs/live_wire.md` and `docs/http_api.md`.
 * Not-available numbers are `null` (JSON) or the column's sentinel (targets, see `TargetColumns`).
 */

/** Targets as columns, exactly as on the wire; one index is one target. */
export interface TargetColumns {
  count: number;
  mmsi: Uint32Array;
  /** 1e-7 deg, WGS 84. */
  lonE7: Int32Array;
  latE7: Int32Array;
  /** 0.1 kn; 0xFFFF not available. */
  sog: Uint16Array;
  /** 0.1 deg true; 0xFFFF not available. */
  cog: Uint16Array;
  /** Bits 0–8 heading, 9–12 navigational status, 13–15 station. */
  bits: Uint16Array;
  /** 0.1 s since the position was observed, at the frame's server time; capped at 0xFFFF. */
  age: Uint16Array;
}

export interface StaticData {
  mmsi: number;
  name?: string;
  callsign?: string;
  imo?: number;
  ship_type?: number;
  to_bow_m?: number;
  to_stern_m?: number;
  to_port_m?: number;
  to_starboard_m?: number;
  draught_m?: number;
  destination?: string;
}

export type SensorValue = number | string | boolean | null | (number | null)[];

export interface ClockQuality {
  state: string;
  error_ms?: number | null;
}

export interface Sensor {
  id: string;
  kind: string;
  site: string;
  gateway: string;
  source: string;
  place: string | null;
  observed_at: string | null;
  age_s: number | null;
  is_stale: boolean;
  clock: ClockQuality | null;
  values: Record<string, SensorValue>;
}

export interface GatewaySource {
  source: string;
  kind: string;
  place: string | null;
  state: string;
  last_record_at: string | null;
  records: number;
  restarts: number;
  rejected: Record<string, number>;
  last_error: string;
}

/**
 * What a gateway produced and where it is: produced = received + buffered + declared + kept elsewhere + missing (or under
 * suspicion).
 */
export interface GatewayBalance {
  /** unknown, whole, buffered; went_back, vanished and missing are alarms. */
  verdict: string;
  since: string | null;
  produced: number;
  received: number;
  buffered: number;
  declared: Record<string, number>;
  /** Lost by nobody: the same records have come under another stream. */
  kept_elsewhere: number;
  declared_at: string | null;
  missing: number;
}

export interface Gateway {
  id: string;
  site: string;
  gateway: string;
  is_online: boolean;
  last_seen_at: string | null;
  age_s: number | null;
  software: string;
  started_at: string | null;
  clock: ClockQuality | null;
  clock_offset_ms: number | null;
  buffered_records: number;
  buffered_bytes: number;
  oldest_unacknowledged_s: number | null;
  quarantined_batches: number;
  sources: GatewaySource[];
  /** Absent from servers before the accounting. */
  balance?: GatewayBalance | null;
  /** Time that its disk lasts at the present rate, s; null where it did not say. */
  headroom_s?: number | null;
  /** It keeps records in memory only: its disk cannot be written. */
  is_volatile?: boolean;
}

export interface Frame {
  kind: 'snapshot' | 'delta';
  epoch: number;
  tick: number;
  /** UTC ms since 1970 by the server's clock. */
  serverTimeMs: number;
  targets: TargetColumns[];
  targetsGone: Uint32Array[];
  statics: StaticData[];
  sensors: Sensor[];
  gateways: Gateway[];
  sensorsGone: string[];
  /** The server still fills its picture from the history. */
  isWarming: boolean;
}

export const NOT_AVAILABLE_U16 = 0xffff;
export const NOT_AVAILABLE_HEADING = 511;
export const NOT_AVAILABLE_STATUS = 15;

/** A frame that is not what `docs/live_wire.md` says. `reason` is a short word for counters. */
export class WireError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(`live wire: ${message}`);
    this.name = 'WireError';
    this.reason = reason;
  }
}
