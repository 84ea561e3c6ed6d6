import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKOFF_CAP_MS, LinkPolicy, OPEN_TIMEOUT_MS, SILENCE_MS } from '../../src/wire/link_policy.ts';
import { Random } from '../support/random.ts';

/** Connected at 0, first frame at 100. */
function live(): LinkPolicy {
  const policy = new LinkPolicy(0, () => 0.5);
  assert.deepEqual(policy.wake(0), ['connect']);
  policy.opened(50);
  policy.frameArrived(100);
  return policy;
}

test('frames keep the link live', () => {
  const policy = live();
  for (let now = 1100; now < 60_000; now += 1000) {
    policy.frameArrived(now);
    assert.equal(policy.state(now), 'live');
    assert.deepEqual(policy.wake(now), []);
  }
});

test('silence is shown as lost and the socket dropped, although it claims to be open', () => {
  const policy = live();
  assert.equal(policy.state(100 + SILENCE_MS - 1), 'live');
  assert.deepEqual(policy.wake(100 + SILENCE_MS - 1), []);
  assert.equal(policy.state(100 + SILENCE_MS), 'lost');
  assert.deepEqual(policy.wake(100 + SILENCE_MS), ['drop']);
  assert.ok(SILENCE_MS < 3000, 'the operator is promised 3 s');
});

test('the policy asks to be woken at the moment of loss, so that nothing has to poll', () => {
  assert.equal(live().nextWakeMs(200), 100 + SILENCE_MS);
});

test('a close is not yet a loss: the picture stays live while a new connection is made in time', () => {
  const policy = live();
  policy.closed(500);
  assert.equal(policy.state(600), 'live');
  assert.deepEqual(policy.wake(500 + 249), []);
  assert.deepEqual(policy.wake(500 + 250), ['connect']);
  policy.opened(800);
  policy.frameArrived(900);
  assert.equal(policy.state(900 + SILENCE_MS - 1), 'live');
});

test('before the first frame the operator sees connecting, then lost', () => {
  const policy = new LinkPolicy(0, () => 0);
  assert.equal(policy.state(SILENCE_MS - 1), 'connecting');
  assert.equal(policy.state(SILENCE_MS), 'lost');
});

test('a connection that never opens is given up', () => {
  const policy = new LinkPolicy(0, () => 0);
  policy.wake(0);
  assert.deepEqual(policy.wake(OPEN_TIMEOUT_MS - 1), []);
  assert.deepEqual(policy.wake(OPEN_TIMEOUT_MS), ['drop']);
});

test('an open socket without any frame is given up too', () => {
  const policy = new LinkPolicy(0, () => 0);
  policy.wake(0);
  policy.opened(10);
  assert.deepEqual(policy.wake(10 + SILENCE_MS), ['drop']);
});

test('waits grow with full jitter up to the cap, and a frame makes them short again', () => {
  const random = new Random(3);
  const policy = new LinkPolicy(0, () => random.next());
  let now = 0;
  let longest = 0;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    assert.deepEqual(policy.wake(now), ['connect']);
    policy.closed(now);
    let wait = 0;
    while (policy.wake(now + wait).length === 0) wait += 1;
    assert.ok(wait <= BACKOFF_CAP_MS + 1);
    longest = Math.max(longest, wait);
    policy.closed(now + wait);
    now += wait + BACKOFF_CAP_MS + 1;
  }
  assert.ok(longest > BACKOFF_CAP_MS * 0.8, 'the cap is reached');
  const calm = new LinkPolicy(0, () => 0.999);
  calm.wake(0);
  calm.opened(1);
  calm.frameArrived(2);
  calm.closed(3);
  assert.deepEqual(calm.wake(3 + 500), ['connect']);
});

test('after any events the policy is never asleep for ever', () => {
  const random = new Random(4);
  for (let round = 0; round < 200; round += 1) {
    const policy = new LinkPolicy(0, () => random.next());
    let now = 0;
    for (let step = 0; step < 60; step += 1) {
      now += random.int(0, 3000);
      [() => policy.opened(now), () => policy.frameArrived(now), () => policy.closed(now), () => policy.wake(now)][
        random.int(0, 3)
      ]!();
    }
    let connects = 0;
    for (let step = 0; step < 40 && connects === 0; step += 1) {
      if (policy.wake(now).includes('connect')) connects += 1;
      now = Math.max(now + 1, policy.nextWakeMs(now));
    }
    assert.equal(connects, 1, `round ${round}`);
  }
});
