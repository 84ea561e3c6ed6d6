import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerClock } from '../../src/picture/server_clock.ts';
import { ageOf, freshness, isSensorStale, reportingIntervalS, staleAfterS } from '../../src/picture/staleness.ts';
import { Station } from '../../src/picture/target_bits.ts';

test('reporting intervals follow ITU-R M.1371-5 tables 1 and 2', () => {
  const cases: [number, number, number | null, number][] = [
    [Station.classA, 5, 0, 180],
    [Station.classA, 1, 3, 180],
    [Station.classA, 1, 3.1, 10],
    [Station.classA, 0, 0, 10],
    [Station.classA, 0, 14, 10],
    [Station.classA, 0, 14.1, 6],
    [Station.classA, 0, 23.1, 2],
    [Station.classB, 15, 2, 180],
    [Station.classB, 15, 2.1, 30],
    [Station.classB, 15, null, 30],
    [Station.base, 15, null, 10],
    [Station.aton, 15, null, 180],
    [Station.survival, 14, 0, 60],
  ];
  for (const [station, status, sog, expected] of cases)
    assert.equal(reportingIntervalS(station, status, sog), expected);
});

test('stale after three intervals, at least a minute', () => {
  assert.equal(staleAfterS(Station.classA, 0, 20), 60);
  assert.equal(staleAfterS(Station.classB, 15, 8), 90);
  assert.equal(staleAfterS(Station.classA, 5, 0), 540);
});

test('fresh turns stale at the limit and lost at twice the limit', () => {
  assert.deepEqual(
    [0, 59.9, 60, 119.9, 120].map((age) => freshness(age, 60)),
    ['fresh', 'fresh', 'stale', 'stale', 'lost'],
  );
});

test('a sensor is stale when the server says so, or when it grows old here', () => {
  assert.equal(isSensorStale('crane_sample', 2, false), false);
  assert.equal(isSensorStale('crane_sample', 10, false), true);
  assert.equal(isSensorStale('water_level', 10, false), false);
  assert.equal(isSensorStale('crane_sample', 2, true), true);
  assert.equal(isSensorStale('crane_sample', null, false), true);
});

test('an age is never negative, and unknown where time is unknown', () => {
  const now = Date.parse('2026-11-24T03:00:10Z');
  assert.equal(ageOf('2026-11-24T03:00:00.000Z', now), 10);
  assert.equal(ageOf('2026-11-24T03:00:11.000Z', now), 0);
  assert.equal(ageOf(null, now), null);
  assert.equal(ageOf('yesterday', now), null);
  assert.equal(ageOf('2026-11-24T03:00:00.000Z', null), null);
});

test('the server clock takes the least delayed frame, and follows a step', () => {
  const clock = new ServerClock();
  assert.equal(clock.now(0), null);
  clock.observe(1_000_000, 100);
  clock.observe(1_001_000, 1400);
  assert.equal(clock.now(2000), 1_001_900);
  clock.observe(2_000_000, 2100);
  assert.equal(clock.now(2100), 2_000_000);
});
