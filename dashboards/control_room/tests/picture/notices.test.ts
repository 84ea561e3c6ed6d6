import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Watched, currentNotices, gatewayContact } from '../../src/picture/notices.ts';
import type { GatewaySource } from '../../src/wire/frame.ts';
import { NOW_MS, gateway } from '../support/samples.ts';

function watched(part: Partial<Watched> = {}): Watched {
  return {
    link: 'live',
    lastFrameAtMs: NOW_MS,
    nowMs: NOW_MS,
    isChartMissing: false,
    distressMmsis: [],
    gateways: [],
    ...part,
  };
}

function source(part: Partial<GatewaySource>): GatewaySource {
  return {
    source: 'ais',
    kind: 'nmea',
    place: null,
    state: 'running',
    last_record_at: null,
    records: 0,
    restarts: 0,
    rejected: {},
    last_error: '',
    ...part,
  };
}

const ids = (state: Watched): string[] => currentNotices(state).map((notice) => `${notice.priority} ${notice.id}`);

test('a calm port has no notices', () => {
  assert.deepEqual(ids(watched({ gateways: [gateway({ sources: [source({})] })] })), []);
});

test('a lost link is an alarm with since when, and is the only word about what hangs on it', () => {
  const state = watched({ link: 'lost', nowMs: NOW_MS + 4000, gateways: [gateway({ is_online: false })] });
  assert.deepEqual(ids(state), ['alarm link']);
  assert.equal(currentNotices(state)[0]?.ageS, 4);
  assert.equal(currentNotices(state)[0]?.values['since'], NOW_MS);
});

test('a gateway is offline when the server says so, and when it has not been heard of for 10 s', () => {
  assert.deepEqual(gatewayContact(gateway(), NOW_MS), { ageS: 1, isOnline: true });
  assert.equal(gatewayContact(gateway(), NOW_MS + 9000).isOnline, false);
  assert.equal(gatewayContact(gateway({ is_online: false }), NOW_MS).isOnline, false);
  assert.deepEqual(ids(watched({ gateways: [gateway({ is_online: false })] })), ['warning demo/gw-quay:offline']);
});

test('backlog, quarantine, clock and sources are told, worst first', () => {
  const troubled = gateway({
    oldest_unacknowledged_s: 61,
    quarantined_batches: 2,
    clock_offset_ms: -900,
    sources: [source({ source: 'plc-1', state: 'backoff' }), source({ source: 'plc-2', state: 'starting' })],
  });
  assert.deepEqual(ids(watched({ gateways: [troubled], distressMmsis: [970123456] })), [
    'alarm distress:970123456',
    'warning demo/gw-quay:backlog',
    'caution demo/gw-quay:quarantine',
    'caution demo/gw-quay:clock',
    'caution demo/gw-quay:source:plc-1',
  ]);
});
