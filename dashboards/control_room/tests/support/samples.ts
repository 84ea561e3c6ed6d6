/** Frames, sensors and gateways as the server sends them, with the parts that a test cares about changed. */
import type { Frame, Gateway, GatewayBalance, Sensor, TargetColumns } from '../../src/wire/frame.ts';
import type { TargetRow } from './encoder.ts';

export const NOW_MS = Date.parse('2026-11-24T03:00:00.000Z');

export function row(part: Partial<TargetRow> = {}): TargetRow {
  const bits = 340 | (0 << 9) | (0 << 13);
  return { mmsi: 224000001, lonE7: -2_000_000, latE7: 396_000_000, sog: 100, cog: 900, bits, age: 0, ...part };
}

export function columns(rows: readonly TargetRow[]): TargetColumns {
  return {
    count: rows.length,
    mmsi: Uint32Array.from(rows, (r) => r.mmsi),
    lonE7: Int32Array.from(rows, (r) => r.lonE7),
    latE7: Int32Array.from(rows, (r) => r.latE7),
    sog: Uint16Array.from(rows, (r) => r.sog),
    cog: Uint16Array.from(rows, (r) => r.cog),
    bits: Uint16Array.from(rows, (r) => r.bits),
    age: Uint16Array.from(rows, (r) => r.age),
  };
}

export function frame(part: Partial<Frame> = {}): Frame {
  return {
    kind: 'snapshot',
    epoch: 7,
    tick: 1,
    serverTimeMs: NOW_MS,
    targets: [],
    targetsGone: [],
    statics: [],
    sensors: [],
    gateways: [],
    sensorsGone: [],
    isWarming: false,
    ...part,
  };
}

export function sensor(part: Partial<Sensor> = {}): Sensor {
  return {
    id: 'demo/sts-1/crane_sample',
    kind: 'crane_sample',
    site: 'demo',
    gateway: 'gw-quay',
    source: 'plc-1',
    place: 'sts-1',
    observed_at: '2026-11-24T02:59:59.000Z',
    age_s: 1,
    is_stale: false,
    clock: { state: 'ntp', error_ms: 2 },
    values: { hoist_load_t: 24.3, is_spreader_locked: true, gantry_m: 120 },
    ...part,
  };
}

export const BALANCE: GatewayBalance = {
  verdict: 'whole',
  since: null,
  produced: 1000,
  received: 1000,
  buffered: 0,
  declared: {},
  kept_elsewhere: 0,
  declared_at: null,
  missing: 0,
};

export function gateway(part: Partial<Gateway> = {}): Gateway {
  return {
    id: 'demo/gw-quay',
    site: 'demo',
    gateway: 'gw-quay',
    is_online: true,
    last_seen_at: '2026-11-24T02:59:59.000Z',
    age_s: 1,
    software: '0.1.0',
    started_at: '2026-11-24T01:00:00.000Z',
    clock: { state: 'ntp', error_ms: 2 },
    clock_offset_ms: 1,
    buffered_records: 0,
    buffered_bytes: 0,
    oldest_unacknowledged_s: null,
    quarantined_batches: 0,
    sources: [],
    ...part,
  };
}
