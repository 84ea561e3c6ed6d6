import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Chart } from '../../src/map/chart.ts';
import { Declutter } from '../../src/map/declutter.ts';
import { hullOutline, hullSize } from '../../src/map/hull.ts';
import { mercatorX, mercatorY } from '../../src/map/projection.ts';
import { placeOnQuay, quayLines } from '../../src/map/quay_geometry.ts';
import { Random } from '../support/random.ts';

const SITE = new URL('../../../../firmware_configs/sites/puerto-demo/chart.geojson', import.meta.url);

/** A quay from west to east with its water to the south. */
function quayChart(): Chart {
  const properties = (kind: string, id: string, more: object): Chart['document']['features'][0]['properties'] => ({
    kind,
    id,
    name_es: id,
    name_en: id,
    ...more,
  });
  return new Chart({
    type: 'FeatureCollection',
    features: [
      {
        type: 'Feature',
        properties: properties('quay', 'q', { length_m: 1113 }),
        geometry: {
          type: 'LineString',
          coordinates: [
            [0, 0],
            [0.01, 0],
          ],
        },
      },
      {
        type: 'Feature',
        properties: properties('berth', 'b', { quay: 'q' }),
        geometry: {
          type: 'Polygon',
          coordinates: [
            [
              [0, 0],
              [0.01, 0],
              [0.01, -0.001],
              [0, -0.001],
              [0, 0],
            ],
          ],
        },
      },
    ],
  });
}

test('a chainage is a place along the quay, and seaward is where the berth is', () => {
  const place = placeOnQuay(quayLines(quayChart()).get('q')!, 500);
  assert.ok(Math.abs(place.x - 500) < 0.01 && Math.abs(place.y) < 0.01);
  assert.deepEqual(place.along, [1, 0]);
  assert.ok(place.seaward[1] === -1 && Math.abs(place.seaward[0]) === 0);
});

test('a crane that reports a chainage beyond the quay stands at its end, not in the sea', () => {
  const line = quayLines(quayChart()).get('q')!;
  assert.ok(Math.abs(placeOnQuay(line, 99_999).x - mercatorX(0.01)) < 0.01);
  assert.equal(placeOnQuay(line, -50).x, 0);
});

test(
  'at the demonstration port every crane parks within 40 m of its chainage',
  { skip: existsSync(SITE) ? false : 'no site profile beside this checkout' },
  () => {
    const chart = new Chart(JSON.parse(readFileSync(SITE, 'utf8')) as Chart['document']);
    const lines = quayLines(chart);
    const cranes = chart.ofKind('crane');
    assert.ok(cranes.length >= 4);
    for (const crane of cranes) {
      const place = placeOnQuay(lines.get(String(crane.properties['quay']))!, Number(crane.properties['parked_at_m']));
      const [lon, lat] = crane.geometry.coordinates as [number, number];
      const metres = Math.hypot(mercatorX(lon) - place.x, mercatorY(lat) - place.y) / place.scale;
      assert.ok(metres < 40, `${crane.properties.id}: ${metres} m`);
    }
  },
);

test('a hull lies around its reference point to scale', () => {
  const size = hullSize({ mmsi: 1, to_bow_m: 200, to_stern_m: 100, to_port_m: 10, to_starboard_m: 30 })!;
  const north = hullOutline(size, 0, 0.5);
  assert.ok(Math.abs(Math.min(...north.map(([, y]) => y)) + 100) < 1e-6);
  assert.ok(Math.abs(Math.max(...north.map(([, y]) => y)) - 50) < 1e-6);
  const east = hullOutline(size, 90, 0.5);
  assert.ok(Math.abs(Math.max(...east.map(([x]) => x)) - 100) < 1e-6);
  assert.ok(Math.abs(Math.max(...east.map(([, y]) => y)) - 15) < 1e-6, 'starboard of an eastbound ship is south');
});

test('a hull needs all four distances, a length and a beam', () => {
  assert.equal(hullSize(undefined), null);
  assert.equal(hullSize({ mmsi: 1, to_bow_m: 20, to_stern_m: 5, to_port_m: 3 }), null);
  assert.equal(hullSize({ mmsi: 1, to_bow_m: 0, to_stern_m: 0, to_port_m: 3, to_starboard_m: 3 }), null);
});

test('names that are placed never overlap', () => {
  const random = new Random(8);
  const declutter = new Declutter();
  const placed: { x: number; y: number; width: number; height: number }[] = [];
  for (let round = 0; round < 800; round += 1) {
    const box = { x: random.int(-50, 900), y: random.int(-50, 600), width: random.int(20, 140), height: 14 };
    const isFree = !placed.some(
      (o) => box.x < o.x + o.width && o.x < box.x + box.width && box.y < o.y + o.height && o.y < box.y + box.height,
    );
    assert.equal(declutter.claim(box), isFree);
    if (isFree) placed.push(box);
  }
});

test('a chart with a time zone that does not exist falls back to UTC', () => {
  assert.equal(new Chart({ type: 'FeatureCollection', features: [], time_zone: 'Mars/Olympus' }).timeZone, 'UTC');
  assert.throws(() => new Chart({} as Chart['document']));
});
