/** WCAG 2.2 contrast of every pair of tokens that is read together: text 4.5:1, symbols and their edges 3:1. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const CSS = readFileSync(new URL('../../src/styles/tokens.css', import.meta.url), 'utf8');
const PALETTES = ['day', 'dusk', 'night'];
const WATERS = ['--map-deep', '--map-mid', '--map-shallow'];
const SURFACES = ['--bg', '--surface', '--surface-raised', '--surface-hover', '--surface-selected'];

const TEXT: [string, string[]][] = [
  ['--text', SURFACES],
  ['--text-dim', SURFACES],
  ['--text-stale', ['--surface', '--surface-raised', '--surface-selected']],
  ['--alarm-text', ['--alarm']],
  ['--warning-text', ['--warning']],
  ['--caution-text', ['--caution']],
  ['--map-label', [...WATERS, '--map-halo']],
  ['--map-select', ['--map-halo']],
  ['--map-stale', ['--map-halo']],
];
const SYMBOLS: [string, string[]][] = [
  ['--map-ship', WATERS],
  ['--map-ship-edge', WATERS],
  ['--map-rest', WATERS],
  ['--map-stale', WATERS],
  ['--map-vector', WATERS],
  ['--map-select', WATERS],
  ['--map-crane', [...WATERS, '--map-land']],
  ['--map-quay', WATERS],
  ['--map-fairway', WATERS],
  ['--map-anchorage', WATERS],
  ['--map-restricted', WATERS],
  ['--focus', ['--surface', '--map-deep']],
  ['--line-strong', ['--surface', '--surface-raised']],
  ['--alarm', ['--map-deep']],
];

function tokens(palette: string): Record<string, string> {
  const block = new RegExp(`\\[data-palette=['"]${palette}['"]\\] \\{([^}]*)\\}`).exec(CSS)?.[1];
  assert.ok(block !== undefined, palette);
  return Object.fromEntries(
    [...block.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1]!, match[2]!]),
  );
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

for (const palette of PALETTES) {
  for (const [pairs, least, what] of [
    [TEXT, 4.5, 'text'],
    [SYMBOLS, 3, 'symbols'],
  ] as const) {
    test(`${palette}: ${what} at least ${least}:1`, () => {
      const colours = tokens(palette);
      const poor = pairs.flatMap(([front, backs]) =>
        backs
          .map((back) => [front, back, contrast(colours[front]!, colours[back]!)] as const)
          .filter(([, , ratio]) => ratio < least)
          .map(([, back, ratio]) => `${front} on ${back}: ${ratio.toFixed(2)}`),
      );
      assert.deepEqual(poor, []);
    });
  }
}

test('the measure itself is right: black on white is 21:1', () => {
  assert.ok(Math.abs(contrast('#000000', '#ffffff') - 21) < 1e-9);
});

test('every palette has the same tokens', () => {
  const names = PALETTES.map((palette) => Object.keys(tokens(palette)).sort());
  assert.deepEqual(names[1], names[0]);
  assert.deepEqual(names[2], names[0]);
});
