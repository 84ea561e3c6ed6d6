import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLonLat } from 'ol/proj.js';
import { Motion, carriedS } from '../../src/map/motion.ts';
import { mercatorScale, mercatorX, mercatorY } from '../../src/map/projection.ts';
import { nextFrameMs, LONGEST_MS, SHORTEST_MS } from '../../src/map/redraw_policy.ts';
import { scaleBar } from '../../src/map/scale_bar.ts';
import { TargetTable } from '../../src/picture/target_table.ts';
import { Random } from '../support/random.ts';
import { columns, row } from '../support/samples.ts';

test('the projection is OpenLayers’ own, everywhere on the map', () => {
  const random = new Random(7);
  for (let round = 0; round < 1000; round += 1) {
    const lon = random.next() * 360 - 180;
    const lat = random.next() * 170 - 85;
    const [x, y] = fromLonLat([lon, lat]);
    assert.ok(Math.abs(mercatorX(lon) - x!) < 1e-3);
    assert.ok(Math.abs(mercatorY(lat) - y!) < 1e-3);
  }
  assert.ok(Number.isFinite(mercatorY(90)) && Number.isFinite(mercatorY(-90)));
});

test('ten knots to the east for a minute is 308.7 m on the ground, and none to the north', () => {
  const table = new TargetTable();
  table.upsert(columns([row({ sog: 100, cog: 900, latE7: 396_000_000 })]), 0);
  const motion = new Motion();
  motion.refresh(table);
  const metres = (motion.vx[0]! * 60) / mercatorScale(39.6);
  assert.ok(Math.abs(metres - 308.67) < 0.05, String(metres));
  assert.ok(Math.abs(motion.vy[0]!) < 1e-4);
});

test('a ship at rest, or without course or speed, is not carried anywhere', () => {
  const table = new TargetTable();
  const rows = [row({ mmsi: 1, sog: 4 }), row({ mmsi: 2, sog: 0xffff }), row({ mmsi: 3, cog: 0xffff })];
  table.upsert(columns(rows), 0);
  const motion = new Motion();
  motion.refresh(table);
  assert.deepEqual([...motion.vx.slice(0, 3), ...motion.vy.slice(0, 3)].map(Math.abs), [0, 0, 0, 0, 0, 0]);
});

test('a target is carried no further than its stale limit, and never backwards', () => {
  assert.deepEqual(
    [-5, 0, 30, 60, 6000].map((age) => carriedS(age, 60)),
    [0, 0, 30, 60, 60],
  );
});

test('the next frame is due when the fastest target has moved half a pixel', () => {
  assert.equal(nextFrameMs(0, 10, false), LONGEST_MS);
  assert.equal(nextFrameMs(10, 20, false), 1000);
  assert.equal(nextFrameMs(10, 2, false), 100);
  assert.equal(nextFrameMs(10, 0.01, false), SHORTEST_MS);
  assert.equal(nextFrameMs(10, 0.01, true), LONGEST_MS);
});

test('the scale bar is a round length that fits', () => {
  for (const metresPerPx of [0.1, 0.7, 3, 14, 90, 900]) {
    const bar = scaleBar(metresPerPx);
    assert.ok(bar.widthPx <= 130 && bar.widthPx > 20, `${metresPerPx}: ${bar.widthPx}`);
  }
  assert.deepEqual(scaleBar(14.5), { metres: 1852, widthPx: 128 });
});
