import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Framebuffer } from '../../src/map/blitter.ts';
import { type Shape, type Sprite, rasterise } from '../../src/map/raster.ts';
import { Random } from '../support/random.ts';

function square(reach: number, fill: [number, number, number], fillAlpha = 1): Shape {
  const points = [
    [-reach, -reach],
    [reach, -reach],
    [reach, reach],
    [-reach, reach],
  ] as const;
  return { points, isClosed: true, fill, stroke: null, strokeWidth: 0, fillAlpha };
}

const solid = (size: number): Sprite => rasterise(size, [square(size, [10, 20, 30])]);
const at = (buffer: Framebuffer, x: number, y: number): string =>
  (buffer.pixels[y * buffer.width + x]! >>> 0).toString(16);

test('a sprite lands with its middle on the pixel', () => {
  const buffer = new Framebuffer(9, 9);
  buffer.blit(solid(3), 4.4, 3.6);
  assert.equal(at(buffer, 4, 4), 'ff1e140a');
  assert.equal(at(buffer, 3, 3), 'ff1e140a');
  assert.equal(at(buffer, 6, 4), '0');
  assert.deepEqual(buffer.touched(), [3, 5]);
});

test('sprites are clipped at every edge, and never wrap to the next row', () => {
  const random = new Random(6);
  for (let round = 0; round < 500; round += 1) {
    const buffer = new Framebuffer(random.int(1, 12), random.int(1, 12));
    const x = random.int(-6, 18);
    const y = random.int(-6, 18);
    buffer.blit(solid(5), x, y);
    for (let row = 0; row < buffer.height; row += 1) {
      for (let column = 0; column < buffer.width; column += 1) {
        const isInside = Math.abs(column - x) <= 2 && Math.abs(row - y) <= 2;
        assert.equal(at(buffer, column, row) !== '0', isInside, `${column},${row} of sprite at ${x},${y}`);
      }
    }
  }
});

test('clearing wipes the touched rows and nothing is left', () => {
  const buffer = new Framebuffer(20, 20);
  buffer.blit(solid(5), 3, 3);
  buffer.blit(solid(5), 17, 17);
  assert.deepEqual(buffer.clear(), [1, 19]);
  assert.ok(buffer.pixels.every((pixel) => pixel === 0));
  assert.equal(buffer.clear(), null);
});

test('a half transparent pixel over an opaque one mixes both and stays opaque', () => {
  const buffer = new Framebuffer(3, 3);
  buffer.blit(rasterise(1, [square(1, [0, 0, 0])]), 1, 1);
  buffer.blit(rasterise(1, [square(1, [200, 100, 50], 0.5)]), 1, 1);
  const pixel = buffer.pixels[4]!;
  assert.equal(pixel >>> 24, 255);
  assert.ok(Math.abs((pixel & 0xff) - 100) <= 2);
  assert.ok(Math.abs(((pixel >>> 8) & 0xff) - 50) <= 2);
  assert.ok(Math.abs(((pixel >>> 16) & 0xff) - 25) <= 2);
});

test('a half transparent pixel over another becomes denser, in a colour between', () => {
  const buffer = new Framebuffer(1, 1);
  buffer.blit(rasterise(1, [square(1, [200, 0, 0], 0.5)]), 0, 0);
  buffer.blit(rasterise(1, [square(1, [0, 0, 200], 0.5)]), 0, 0);
  const pixel = buffer.pixels[0]!;
  assert.ok(Math.abs((pixel >>> 24) - 192) <= 3);
  assert.ok((pixel & 0xff) > 50 && (pixel & 0xff) < 90);
  assert.ok(((pixel >>> 16) & 0xff) > 110 && ((pixel >>> 16) & 0xff) < 150);
});
