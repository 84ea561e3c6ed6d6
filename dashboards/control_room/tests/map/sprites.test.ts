import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MapPalette } from '../../src/map/palette.ts';
import { SpriteAtlas, symbolKind } from '../../src/map/sprites.ts';
import { Station } from '../../src/picture/target_bits.ts';

const palette = new Proxy({}, { get: (_, name) => (name === 'stale' ? '#808080' : '#ff8000') }) as MapPalette;
const atlas = new SpriteAtlas(palette, 1);

/** Middle of mass of a sprite's pixels, px from its middle: where the symbol's body lies. */
function weight(headingDeg: number): [number, number] {
  const { pixels, size } = atlas.get('ship', 'fresh', headingDeg);
  let sum = 0;
  let x = 0;
  let y = 0;
  pixels.forEach((pixel, i) => {
    const alpha = pixel >>> 24;
    sum += alpha;
    x += alpha * ((i % size) - (size - 1) / 2);
    y += alpha * (Math.floor(i / size) - (size - 1) / 2);
  });
  return [x / sum, y / sum];
}

test('the bow points to the heading: the broad stern lies on the other side', () => {
  const [, northY] = weight(0);
  const [eastX] = weight(90);
  const [, southY] = weight(180);
  const [westX] = weight(270);
  assert.ok(northY > 0.8 && southY < -0.8 && eastX < -0.8 && westX > 0.8);
});

test('headings wrap at 360', () => {
  assert.equal(atlas.get('ship', 'fresh', 359.9), atlas.get('ship', 'fresh', 0));
});

test('a stale ship is hollow and grey, a lost one is crossed as well', () => {
  const middle = (freshness: 'fresh' | 'stale'): number => {
    const { pixels, size } = atlas.get('ship', freshness, 0);
    return pixels[(size * size - 1) / 2 + 2 * size]! >>> 24;
  };
  const ink = (freshness: 'stale' | 'lost'): number =>
    atlas.get('ship', freshness, 0).pixels.filter((pixel) => pixel !== 0).length;
  assert.equal(middle('fresh'), 255);
  assert.equal(middle('stale'), 0);
  assert.ok(ink('lost') > ink('stale') + 20);
  const reds = [...atlas.get('ship', 'stale', 0).pixels]
    .filter((pixel) => pixel >>> 24 > 200)
    .map((pixel) => pixel & 0xff);
  assert.ok(reds.length > 0 && reds.every((red) => Math.abs(red - 0x80) <= 1));
});

test('a ship without heading and course is not drawn as if she had one', () => {
  assert.equal(symbolKind(Station.classA, false, null), 'undirected');
  assert.equal(symbolKind(Station.classA, false, 10), 'ship');
  assert.equal(symbolKind(Station.classB, true, 10), 'resting');
  assert.equal(symbolKind(Station.survival, false, null), 'survival');
  assert.equal(symbolKind(7, false, null), 'other');
});

test('rows that are empty are known, so that blitting skips them', () => {
  const { first, last, pixels, size } = atlas.get('resting', 'fresh', 45);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const isDrawn = pixels[row * size + column]! >>> 24 > 0;
      if (isDrawn) assert.ok(column >= first[row]! && column <= last[row]!);
    }
  }
});
