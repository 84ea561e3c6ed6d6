import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Picture } from '../../src/picture/picture.ts';
import { WireError } from '../../src/wire/frame.ts';
import { Random } from '../support/random.ts';
import { NOW_MS, columns, frame, gateway, row, sensor } from '../support/samples.ts';

test('a snapshot replaces everything', () => {
  const picture = new Picture();
  const statics = [{ mmsi: 1, name: 'A' }];
  picture.apply(
    frame({ targets: [columns([row({ mmsi: 1 })])], statics, sensors: [sensor()], gateways: [gateway()] }),
    0,
  );
  picture.apply(frame({ epoch: 8, targets: [columns([row({ mmsi: 2 })])] }), 10);
  assert.equal(picture.targets.get(1), null);
  assert.notEqual(picture.targets.get(2), null);
  assert.equal(picture.statics.size + picture.sensors.value.size + picture.gateways.value.size, 0);
});

test('a delta replaces whole items and removes what is gone', () => {
  const picture = new Picture();
  picture.apply(
    frame({
      targets: [columns([row({ mmsi: 1 }), row({ mmsi: 2 })])],
      statics: [{ mmsi: 2, name: 'B' }],
      sensors: [sensor()],
    }),
    0,
  );
  const moved = row({ mmsi: 1, lonE7: 5, sog: 0xffff });
  picture.apply(
    frame({
      kind: 'delta',
      tick: 2,
      targets: [columns([moved])],
      targetsGone: [Uint32Array.of(2)],
      sensorsGone: [sensor().id],
    }),
    10,
  );
  assert.equal(picture.targets.get(1)?.lonDeg, 5e-7);
  assert.equal(picture.targets.get(1)?.sogKn, null);
  assert.equal(picture.targets.get(2), null);
  assert.equal(picture.statics.has(2), false);
  assert.equal(picture.sensors.value.size, 0);
});

test('a late delta changes nothing and is counted', () => {
  const picture = new Picture();
  picture.apply(frame({ tick: 5, targets: [columns([row({ mmsi: 1, lonE7: 1 })])] }), 0);
  picture.apply(frame({ kind: 'delta', tick: 4, targets: [columns([row({ mmsi: 1, lonE7: 2 })])] }), 1);
  picture.apply(frame({ kind: 'delta', tick: 4, targetsGone: [Uint32Array.of(1)] }), 2);
  assert.equal(picture.targets.get(1)?.lonDeg, 1e-7);
  assert.equal(picture.late, 2);
  assert.equal(picture.resumePoint(), '7:5');
});

test('a delta twice is the same as once, and tells the time even if it holds nothing', () => {
  const picture = new Picture();
  picture.apply(frame({ tick: 5 }), 0);
  const delta = frame({ kind: 'delta', tick: 6, targets: [columns([row({ mmsi: 1, lonE7: 3 })])] });
  picture.apply(delta, 200);
  picture.apply(delta, 210);
  picture.apply(frame({ kind: 'delta', tick: 6, serverTimeMs: NOW_MS + 1000 }), 1000);
  assert.equal(picture.targets.count, 1);
  assert.equal(picture.lastFrameAtMs.value, NOW_MS + 1000);
});

test('a delta of another epoch is refused, for it continues another picture', () => {
  const picture = new Picture();
  assert.throws(() => picture.apply(frame({ kind: 'delta' }), 0), WireError);
  picture.apply(frame(), 0);
  assert.throws(() => picture.apply(frame({ kind: 'delta', epoch: 8, tick: 2 }), 1), WireError);
});

test('a forgotten resume point comes back with the next snapshot', () => {
  const picture = new Picture();
  assert.equal(picture.resumePoint(), null);
  picture.apply(frame({ tick: 3 }), 0);
  picture.forgetResumePoint();
  assert.equal(picture.resumePoint(), null);
  picture.apply(frame({ tick: 9 }), 1);
  assert.equal(picture.resumePoint(), '7:9');
});

test('ages count back from the server time of the frame, whatever this console’s clock says', () => {
  const picture = new Picture();
  picture.apply(frame({ targets: [columns([row({ mmsi: 1, age: 25 })])] }), 123_456);
  assert.equal(picture.targets.get(1)?.observedMs, NOW_MS - 2500);
  assert.equal(picture.clock.now(124_456), NOW_MS + 1000);
});

test('any sequence of frames gives the picture that a plain map gives', () => {
  const random = new Random(5);
  for (let round = 0; round < 60; round += 1) {
    const picture = new Picture();
    const oracle = new Map<number, number>();
    for (let tick = 1; tick < 80; tick += 1) {
      const isSnapshot = tick === 1 || random.int(0, 19) === 0;
      const gone = Uint32Array.from({ length: random.int(0, 4) }, () => random.int(1, 30));
      const rows = Array.from({ length: random.int(0, 8) }, () =>
        row({ mmsi: random.int(1, 30), lonE7: random.int(-1e9, 1e9) }),
      );
      picture.apply(
        frame({ kind: isSnapshot ? 'snapshot' : 'delta', tick, targets: [columns(rows)], targetsGone: [gone] }),
        tick,
      );
      if (isSnapshot) oracle.clear();
      for (const mmsi of gone) oracle.delete(mmsi);
      for (const target of rows) oracle.set(target.mmsi, target.lonE7);
      const seen = Array.from({ length: picture.targets.count }, (_, i): [number, number] => [
        picture.targets.mmsi[i]!,
        picture.targets.lonE7[i]!,
      ]);
      assert.deepEqual(new Map(seen), oracle);
      for (const mmsi of oracle.keys()) assert.equal(picture.targets.get(mmsi)?.mmsi, mmsi);
    }
  }
});
