import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Watched, currentNotices, gatewayContact } from '../../src/picture/notices.ts';
import { freshLoss, losses } from '../../src/picture/balance.ts';
import type { GatewaySource } from '../../src/wire/frame.ts';
import { BALANCE, NOW_MS, gateway } from '../support/samples.ts';

function watched(part: Partial<Watched> = {}): Watched {
  return {
    link: 'live',
    lastFrameAtMs: NOW_MS,
    nowMs: NOW_MS,
    isChartMissing: false,
    isWarming: false,
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

test('a picture that is still being filled is a warning while the link is live', () => {
  assert.deepEqual(ids(watched({ isWarming: true })), ['warning warming']);
  assert.deepEqual(ids(watched({ isWarming: true, link: 'lost' })), ['alarm link']);
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

test('records that nobody has are an alarm, also while the gateway is out of contact', () => {
  const balance = { ...BALANCE, verdict: 'missing', missing: 12, since: '2026-11-24T02:12:00.000Z' };
  const state = watched({ gateways: [gateway({ is_online: false, balance })] });
  assert.deepEqual(ids(state), ['alarm demo/gw-quay:balance', 'warning demo/gw-quay:offline']);
  assert.deepEqual(currentNotices(state)[0]?.values, {
    gateway: 'gw-quay',
    n: 12,
    since: Date.parse('2026-11-24T02:12:00.000Z'),
  });
  assert.equal(currentNotices(watched({ gateways: [gateway({ balance })] }))[0]?.key, 'notice.records_missing');
});

test('what waits on the gateway is no notice; a loss is, for an hour after it grew', () => {
  const balance = { ...BALANCE, verdict: 'buffered', buffered: 900, declared: { thinned: 30, damaged: 2 } };
  assert.deepEqual(ids(watched({ gateways: [gateway({ balance })] })), []);
  const grown = { ...balance, declared_at: '2026-11-24T02:30:00.000Z' };
  const state = watched({ gateways: [gateway({ balance: grown })] });
  assert.deepEqual(ids(state), ['warning demo/gw-quay:declared']);
  assert.equal(currentNotices(state)[0]?.values['n'], 32);
  const kept = { ...grown, kept_elsewhere: 500 };
  assert.equal(freshLoss(gateway({ balance: kept }), NOW_MS), 32);
  assert.deepEqual(ids({ ...state, nowMs: NOW_MS + 3600_000, gateways: [] }), []);
  assert.equal(freshLoss(gateway({ balance: grown }), NOW_MS + 3600_000), 0);
});

test('losses are named largest first, and a gateway without a disk calls', () => {
  const balance = { ...BALANCE, declared: { age: 1, thinned: 30, capacity: 2 } };
  assert.deepEqual(
    losses(balance).map((loss) => loss.reason),
    ['thinned', 'capacity', 'age'],
  );
  assert.deepEqual(losses(null), []);
  assert.deepEqual(ids(watched({ gateways: [gateway({ is_volatile: true })] })), ['warning demo/gw-quay:volatile']);
});
