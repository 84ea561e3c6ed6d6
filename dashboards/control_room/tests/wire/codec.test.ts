import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_FRAME_BYTES, decodeFrame } from '../../src/wire/codec.ts';
import { WireError } from '../../src/wire/frame.ts';
import { type TargetRow, encodeFrame, goneSection, jsonSection, targetsSection } from '../support/encoder.ts';
import { Random } from '../support/random.ts';
import { gateway, row, sensor } from '../support/samples.ts';

function reasonOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof WireError, `threw ${String(error)}`);
    return error.reason;
  }
  return 'none';
}

function randomRow(random: Random): TargetRow {
  return {
    mmsi: random.int(0, 0xffffffff),
    lonE7: random.int(-1_800_000_000, 1_800_000_000),
    latE7: random.int(-900_000_000, 900_000_000),
    sog: random.int(0, 0xffff),
    cog: random.int(0, 0xffff),
    bits: random.int(0, 0xffff),
    age: random.int(0, 0xffff),
  };
}

test('what is encoded is decoded, for any targets in any number of sections', () => {
  const random = new Random(1);
  for (let round = 0; round < 200; round += 1) {
    const sections = Array.from({ length: random.int(0, 3) }, () =>
      Array.from({ length: random.int(0, 40) }, () => randomRow(random)),
    );
    const spec = { kind: random.int(1, 2), epoch: random.int(0, 0xffffffff), tick: random.int(0, 0xffffffff) };
    const frame = decodeFrame(encodeFrame({ ...spec, sections: sections.map(targetsSection) }));
    assert.equal(frame.kind, spec.kind === 1 ? 'snapshot' : 'delta');
    assert.equal(frame.epoch, spec.epoch);
    assert.equal(frame.tick, spec.tick);
    const decoded = frame.targets.map((c) =>
      Array.from({ length: c.count }, (_, i) => ({
        mmsi: c.mmsi[i],
        lonE7: c.lonE7[i],
        latE7: c.latE7[i],
        sog: c.sog[i],
        cog: c.cog[i],
        bits: c.bits[i],
        age: c.age[i],
      })),
    );
    assert.deepEqual(decoded, sections);
  }
});

test('JSON sections and ids of what is gone arrive whole', () => {
  const frame = decodeFrame(
    encodeFrame({
      sections: [
        goneSection([1, 4294967295]),
        jsonSection(3, [{ mmsi: 224000001, name: 'CABO DE PEÑAS' }]),
        jsonSection(4, [sensor()]),
        jsonSection(5, [gateway()]),
        jsonSection(6, ['demo/mast/wind']),
      ],
    }),
  );
  assert.deepEqual([...frame.targetsGone[0]!], [1, 4294967295]);
  assert.equal(frame.statics[0]?.name, 'CABO DE PEÑAS');
  assert.deepEqual(frame.sensors, [sensor()]);
  assert.deepEqual(frame.gateways, [gateway()]);
  assert.deepEqual(frame.sensorsGone, ['demo/mast/wind']);
});

test('a frame says whether the picture is still being filled, and one that is silent says that it is not', () => {
  assert.equal(decodeFrame(encodeFrame({ sections: [jsonSection(7, [true])] })).isWarming, true);
  assert.equal(decodeFrame(encodeFrame({ sections: [jsonSection(6, [])] })).isWarming, false);
});

test('a section of an unknown type is skipped by its length', () => {
  const unknown = { type: 200, body: new Uint8Array([1, 2, 3]) };
  const frame = decodeFrame(encodeFrame({ sections: [unknown, targetsSection([row()])] }));
  assert.equal(frame.targets[0]?.count, 1);
});

test('a frame cut anywhere is refused, never half taken', () => {
  const whole = encodeFrame({ sections: [targetsSection([row(), row()]), jsonSection(6, ['a'])] });
  for (let length = 0; length < whole.byteLength; length += 1) {
    assert.notEqual(
      reasonOf(() => decodeFrame(whole.slice(0, length))),
      'none',
      `cut at ${length}`,
    );
  }
});

test('any bytes give a frame or a WireError, never another exception', () => {
  const random = new Random(2);
  const whole = new Uint8Array(encodeFrame({ sections: [targetsSection([row()]), jsonSection(4, [sensor()])] }));
  for (let round = 0; round < 3000; round += 1) {
    const bytes = round % 2 === 0 ? whole.slice() : new Uint8Array(random.int(0, 120));
    const changes = round % 2 === 0 ? random.int(1, 4) : bytes.length;
    for (let i = 0; i < changes && bytes.length > 0; i += 1) {
      bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
    }
    reasonOf(() => decodeFrame(bytes.buffer));
  }
});

test('each fault has its own reason', () => {
  const bad = (spec: Parameters<typeof encodeFrame>[0]): string => reasonOf(() => decodeFrame(encodeFrame(spec)));
  assert.equal(bad({ version: 2 }), 'unknown_version');
  assert.equal(bad({ kind: 9 }), 'unknown_kind');
  assert.equal(bad({ serverTimeMs: Number.NaN }), 'bad_time');
  assert.equal(bad({ sections: [{ type: 1, body: new Uint8Array([2, 0, 0, 0]) }] }), 'bad_section');
  assert.equal(bad({ sections: [{ type: 2, body: new Uint8Array([0]) }] }), 'bad_section');
  assert.equal(bad({ sections: [{ type: 3, body: new Uint8Array([0x7b]) }] }), 'not_json');
  assert.equal(bad({ sections: [{ type: 3, body: new Uint8Array([0xff]) }] }), 'not_utf8');
  assert.equal(bad({ sections: [jsonSection(4, [{ id: 1 }])] }), 'bad_section');
  assert.equal(bad({ sections: [jsonSection(5, {})] }), 'bad_section');
  assert.equal(
    reasonOf(() => decodeFrame(new ArrayBuffer(MAX_FRAME_BYTES + 1))),
    'too_large',
  );
});
