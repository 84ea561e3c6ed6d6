import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TargetTable } from '../../src/picture/target_table.ts';
import { columns, row } from '../support/samples.ts';

test('the table grows and keeps what it holds', () => {
  const table = new TargetTable();
  table.upsert(columns(Array.from({ length: 1000 }, (_, i) => row({ mmsi: i + 1, lonE7: i }))), 0);
  assert.equal(table.count, 1000);
  for (let mmsi = 1; mmsi <= 1000; mmsi += 1) assert.equal(table.lonE7[table.slotOf(mmsi)], mmsi - 1);
});

test('beyond its cap new targets are refused and counted, known ones still move', () => {
  const table = new TargetTable(3);
  table.upsert(columns([1, 2, 3, 4, 5].map((mmsi) => row({ mmsi }))), 0);
  table.upsert(columns([row({ mmsi: 2, lonE7: 77 })]), 0);
  assert.equal(table.count, 3);
  assert.equal(table.refused, 2);
  assert.equal(table.lonE7[table.slotOf(2)], 77);
  table.remove(1);
  table.upsert(columns([row({ mmsi: 4 })]), 0);
  assert.equal(table.count, 3);
});

test('removing from the middle leaves no hole and no wrong slot', () => {
  const table = new TargetTable();
  table.upsert(columns([row({ mmsi: 1 }), row({ mmsi: 2 }), row({ mmsi: 3, lonE7: 9 })]), 0);
  table.remove(1);
  table.remove(99);
  assert.equal(table.count, 2);
  assert.equal(table.get(3)?.lonDeg, 9e-7);
  assert.equal(table.get(1), null);
});

test('the packed bits are read back as heading, status and station', () => {
  const table = new TargetTable();
  table.upsert(
    columns([row({ mmsi: 1, bits: 511 | (15 << 9) | (7 << 13) }), row({ mmsi: 2, bits: 359 | (5 << 9) | (1 << 13) })]),
    0,
  );
  assert.deepEqual(
    [table.get(1), table.get(2)].map((t) => [t?.headingDeg, t?.navStatus, t?.station]),
    [
      [null, 15, 7],
      [359, 5, 1],
    ],
  );
});
