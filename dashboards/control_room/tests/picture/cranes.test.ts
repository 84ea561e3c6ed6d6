import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chart } from '../../src/map/chart.ts';
import { craneViews } from '../../src/picture/cranes.ts';
import { sensor } from '../support/samples.ts';

const chart = new Chart({
  type: 'FeatureCollection',
  features: ['sts-1', 'sts-2'].map((id) => ({
    type: 'Feature',
    properties: { kind: 'crane', id, name_es: `Grúa ${id}`, name_en: `Crane ${id}`, safe_working_load_t: 50 },
    geometry: { type: 'Point', coordinates: [0, 0] },
  })),
});

test('every crane of the chart is listed, with or without data', () => {
  const cranes = craneViews(chart, [sensor()]);
  assert.deepEqual(
    cranes.map((crane) => [crane.id, crane.loadT, crane.limitT, crane.isLoaded, crane.sensor === null]),
    [
      ['sts-1', 24.3, 50, true, false],
      ['sts-2', null, 50, false, true],
    ],
  );
});

test('a crane that only the data knows is listed too', () => {
  assert.deepEqual(
    craneViews(null, [sensor({ place: 'sts-9' })]).map((crane) => crane.id),
    ['sts-9'],
  );
  assert.deepEqual(
    craneViews(null, [sensor({ place: null })]).map((crane) => crane.id),
    ['gw-quay.plc-1'],
  );
});

test('values of a wrong type are unknown, never shown as something', () => {
  const [crane] = craneViews(null, [
    sensor({ values: { hoist_load_t: 'heavy', is_spreader_locked: 1, trolley_m: null } }),
  ]);
  assert.deepEqual([crane?.loadT, crane?.isLocked, crane?.trolleyM, crane?.isLoaded], [null, null, null, false]);
});
