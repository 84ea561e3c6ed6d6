import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Framebuffer } from '../../src/map/blitter.ts';
import { Motion } from '../../src/map/motion.ts';
import type { MapPalette } from '../../src/map/palette.ts';
import { mercatorX, mercatorY } from '../../src/map/projection.ts';
import { SpriteAtlas } from '../../src/map/sprites.ts';
import { DrawnTargets, type Viewport, paintTargets } from '../../src/map/target_painter.ts';
import { TargetTable } from '../../src/picture/target_table.ts';
import { NOW_MS, columns, row } from '../support/samples.ts';

const atlas = new SpriteAtlas(new Proxy({}, { get: () => '#ffffff' }) as MapPalette, 1);
const view: Viewport = {
  centreX: mercatorX(-0.2),
  centreY: mercatorY(39.6),
  resolution: 10,
  widthPx: 400,
  heightPx: 300,
  ratio: 1,
};

function painted(rows: Parameters<typeof columns>[0], nowMs: number): { drawn: DrawnTargets; buffer: Framebuffer } {
  const table = new TargetTable();
  table.upsert(columns(rows), NOW_MS);
  const motion = new Motion();
  motion.refresh(table);
  const drawn = new DrawnTargets();
  const buffer = new Framebuffer(400, 300);
  paintTargets(table, motion, view, nowMs, atlas, buffer, drawn, () => false);
  return { drawn, buffer };
}

test('a ship at the middle of the view is drawn at the middle of the screen', () => {
  const { drawn, buffer } = painted([row({ lonE7: -2_000_000 })], NOW_MS);
  assert.deepEqual([drawn.count, drawn.x[0], drawn.y[0]], [1, 200, 150]);
  assert.notEqual(buffer.pixels[150 * 400 + 200], 0);
});

test('an eastbound ship moves to the right until she is stale, then stands where she was last expected', () => {
  const x = (seconds: number): number => painted([row({})], NOW_MS + seconds * 1000).drawn.x[0]!;
  assert.ok(x(30) > x(0) + 10);
  assert.ok(x(60) > x(30) + 10);
  assert.equal(x(61), x(60));
  assert.equal(x(600), x(60));
});

test('without a stale limit she would sail on, unseen and invented', () => {
  const table = new TargetTable();
  table.upsert(columns([row({})]), NOW_MS);
  table.staleAfterS[0] = Infinity;
  const motion = new Motion();
  motion.refresh(table);
  const drawn = new DrawnTargets();
  paintTargets(table, motion, view, NOW_MS + 180_000, atlas, new Framebuffer(400, 300), drawn, () => false);
  assert.ok(drawn.x[0]! > painted([row({})], NOW_MS + 180_000).drawn.x[0]! + 50);
});

test('freshness is told with each drawn target', () => {
  const state = (seconds: number): string | undefined => painted([row({})], NOW_MS + seconds * 1000).drawn.freshness[0];
  assert.deepEqual([state(0), state(60), state(120)], ['fresh', 'stale', 'lost']);
});

test('targets out of view are neither drawn nor picked', () => {
  const { drawn, buffer } = painted([row({ lonE7: 100_000_000 })], NOW_MS);
  assert.equal(drawn.count, 0);
  assert.equal(buffer.touched(), null);
  assert.equal(drawn.nearest(200, 150, 1000), -1);
});

test('the nearest target within reach is picked', () => {
  const { drawn } = painted([row({ mmsi: 1 }), row({ mmsi: 2, lonE7: -1_990_000 })], NOW_MS);
  assert.equal(drawn.count, 2);
  assert.equal(drawn.nearest(drawn.x[1]! + 3, drawn.y[1]!, 22), 1);
  assert.equal(drawn.nearest(drawn.x[0]! - 3, drawn.y[0]!, 22), 0);
  assert.equal(drawn.nearest(10, 10, 22), -1);
});
