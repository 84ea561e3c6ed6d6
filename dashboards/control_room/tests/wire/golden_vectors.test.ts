/** The frames that the server's tests hold too: both sides of the wire read the same file. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cogDeg, headingDeg, navStatus, sogKn, STATION_KEYS, station } from '../../src/picture/target_bits.ts';
import { decodeFrame } from '../../src/wire/codec.ts';
import { WireError } from '../../src/wire/frame.ts';

const FILE = new URL('../../../../tests/contract/live_wire_vectors.json', import.meta.url);

interface Vectors {
  vectors: { name: string; hex: string; expected: Record<string, unknown> }[];
  invalid: { name: string; hex: string }[];
}

function load(): Vectors | null {
  if (existsSync(FILE)) return JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;
  assert.ok(!process.env['CI'], 'tests/contract/live_wire_vectors.json is missing');
  return null;
}

function bytesOf(hex: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(hex, 'hex')).buffer;
}

const vectors = load();

for (const vector of vectors?.vectors ?? []) {
  test(`golden frame: ${vector.name}`, () => {
    const frame = decodeFrame(bytesOf(vector.hex));
    const { expected } = vector;
    assert.equal(frame.kind, expected['kind']);
    assert.equal(frame.epoch, expected['epoch']);
    assert.equal(frame.tick, expected['tick']);
    assert.equal(frame.serverTimeMs, expected['server_time_ms']);
    const targets = frame.targets.flatMap((c) =>
      Array.from({ length: c.count }, (_, i) => ({
        mmsi: c.mmsi[i]!,
        lon_deg: c.lonE7[i]! / 1e7,
        lat_deg: c.latE7[i]! / 1e7,
        sog_kn: sogKn(c.sog[i]!),
        cog_deg: cogDeg(c.cog[i]!),
        heading_deg: headingDeg(c.bits[i]!),
        nav_status: navStatus(c.bits[i]!) === 15 ? null : navStatus(c.bits[i]!),
        station: STATION_KEYS[station(c.bits[i]!)],
        age_s: c.age[i]! / 10,
      })),
    );
    assert.deepEqual(targets, expected['targets']);
    assert.deepEqual(
      frame.targetsGone.flatMap((gone) => [...gone]),
      expected['gone'],
    );
    assert.deepEqual(frame.statics, expected['statics']);
    assert.deepEqual(frame.sensors, expected['sensors']);
    assert.deepEqual(frame.gateways, expected['gateways']);
    assert.deepEqual(frame.sensorsGone, expected['gone_sensors']);
  });
}

for (const vector of vectors?.invalid ?? []) {
  test(`golden frame refused: ${vector.name}`, () => {
    assert.throws(() => decodeFrame(bytesOf(vector.hex)), WireError);
  });
}

test('golden frames were read', { skip: vectors === null ? 'no vectors beside this checkout' : false }, () => {
  assert.ok((vectors?.vectors.length ?? 0) > 0 && (vectors?.invalid.length ?? 0) > 0);
});
