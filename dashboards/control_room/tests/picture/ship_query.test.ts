import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ShipQuery, listShips } from '../../src/picture/ship_query.ts';
import { TargetTable } from '../../src/picture/target_table.ts';
import type { StaticData } from '../../src/wire/frame.ts';
import { NOW_MS, columns, row } from '../support/samples.ts';

const table = new TargetTable();
table.upsert(
  columns([
    row({ mmsi: 224000001, sog: 0, age: 30 }),
    row({ mmsi: 224000002, sog: 121, age: 10 }),
    row({ mmsi: 224000003, sog: 0xffff, age: 700 }),
    row({ mmsi: 224000004, sog: 60, age: 20 }),
  ]),
  NOW_MS,
);
const statics = new Map<number, StaticData>([
  [224000001, { mmsi: 224000001, name: 'Zeta', callsign: 'EAQQ' }],
  [224000002, { mmsi: 224000002, name: 'CABO DE PEÑAS' }],
  [224000004, { mmsi: 224000004, name: 'Ándalus' }],
]);

function found(part: Partial<ShipQuery>): number[] {
  const query: ShipQuery = { text: '', isMovingOnly: false, sort: 'name', isDescending: false, ...part };
  return listShips(table, statics, query, NOW_MS).rows.map((ship) => ship.mmsi % 10);
}

test('names sort as Spanish does, nameless ships last either way', () => {
  assert.deepEqual(found({}), [4, 2, 1, 3]);
  assert.deepEqual(found({ isDescending: true }), [1, 2, 4, 3]);
});

test('speeds sort with unknown ones last either way', () => {
  assert.deepEqual(found({ sort: 'sog' }), [1, 4, 2, 3]);
  assert.deepEqual(found({ sort: 'sog', isDescending: true }), [2, 4, 1, 3]);
});

test('the search ignores accents and case, and knows MMSI and call sign', () => {
  assert.deepEqual(found({ text: 'penas' }), [2]);
  assert.deepEqual(found({ text: ' eaq ' }), [1]);
  assert.deepEqual(found({ text: '000003' }), [3]);
  assert.deepEqual(found({ text: 'nothing' }), []);
});

test('only moving ships have a known speed of half a knot or more', () => {
  assert.deepEqual(found({ isMovingOnly: true }), [4, 2]);
});

test('the list is capped, and says how many there are', () => {
  const list = listShips(
    table,
    statics,
    { text: '', isMovingOnly: false, sort: 'age', isDescending: false },
    NOW_MS,
    2,
  );
  assert.deepEqual([list.rows.length, list.matching, list.total], [2, 4, 4]);
  assert.deepEqual(
    list.rows.map((ship) => ship.ageS),
    [1, 2],
  );
});

test('each row carries its age and whether it may be believed', () => {
  const rows = listShips(
    table,
    statics,
    { text: '', isMovingOnly: false, sort: 'name', isDescending: false },
    NOW_MS,
  ).rows;
  const old = rows.find((ship) => ship.mmsi === 224000003);
  assert.equal(old?.ageS, 70);
  assert.equal(old?.freshness, 'stale');
  assert.equal(old?.name, null);
});
