/** The shell around the policy, with a socket and a page that are played by the test; time is the test's. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Picture } from '../../src/picture/picture.ts';
import { LiveConnection, type LinkReport } from '../../src/wire/connection.ts';
import { LinkPolicy } from '../../src/wire/link_policy.ts';
import { encodeFrame, targetsSection } from '../support/encoder.ts';
import { row } from '../support/samples.ts';

class FakeSocket {
  static all: FakeSocket[] = [];
  binaryType = '';
  isClosed = false;
  onopen: () => void = () => undefined;
  onclose: () => void = () => undefined;
  onmessage: (event: { data: unknown }) => void = () => undefined;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  close(): void {
    this.isClosed = true;
  }
}

let nowMs = 0;
let reports: LinkReport[] = [];

function pass(ms: number): void {
  for (const end = nowMs + ms; nowMs < end;) {
    nowMs += 10;
    mock.timers.tick(10);
  }
}

function started(): Picture {
  const picture = new Picture();
  new LiveConnection('ws://port/ws/live', picture, (report) => reports.push(report)).start();
  return picture;
}

beforeEach(() => {
  nowMs = 1000;
  reports = [];
  FakeSocket.all = [];
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(performance, 'now', () => nowMs);
  mock.method(console, 'warn', () => undefined);
  const listen = { addEventListener: () => undefined };
  const page = {
    ...listen,
    setTimeout: (f: () => void, ms: number) => setTimeout(f, ms),
    clearTimeout: (id: NodeJS.Timeout) => clearTimeout(id),
  };
  Object.assign(globalThis, { WebSocket: FakeSocket, document: listen, window: page });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

test('a silent server is reported lost within 3 s and asked again from the last tick', () => {
  started();
  const [first] = FakeSocket.all;
  first!.onopen();
  first!.onmessage({ data: encodeFrame({ epoch: 9, tick: 41, sections: [targetsSection([row()])] }) });
  assert.equal(reports.at(-1)?.state, 'live');
  pass(3000);
  assert.equal(reports.at(-1)?.state, 'lost');
  assert.ok(first!.isClosed);
  pass(5000);
  assert.equal(FakeSocket.all[1]?.url, `ws://port/ws/live?since=${encodeURIComponent('9:41')}`);
});

test('a frame that cannot be read is counted and a snapshot is asked for', () => {
  started();
  FakeSocket.all[0]!.onopen();
  FakeSocket.all[0]!.onmessage({ data: encodeFrame({}) });
  FakeSocket.all[0]!.onmessage({ data: encodeFrame({ version: 2 }) });
  assert.equal(reports.at(-1)?.rejected.get('unknown_version'), 1);
  assert.ok(FakeSocket.all[0]!.isClosed);
  pass(5000);
  assert.equal(FakeSocket.all[1]?.url, 'ws://port/ws/live');
});

test('a text message is refused like any other rubbish', () => {
  started();
  FakeSocket.all[0]!.onmessage({ data: 'hello' });
  assert.equal(reports.at(-1)?.rejected.get('not_binary'), 1);
});

test('late events of a socket that was given up change nothing', () => {
  const picture = started();
  const old = FakeSocket.all[0]!;
  old.onopen();
  pass(8000);
  assert.ok(FakeSocket.all.length >= 2);
  const before = FakeSocket.all.length;
  old.onmessage({ data: encodeFrame({ sections: [targetsSection([row()])] }) });
  old.onclose();
  assert.equal(picture.targets.count, 0);
  assert.equal(FakeSocket.all.length, before);
});

test('without the watchdog a dead socket that claims to be open would be kept for ever', () => {
  const { wake } = LinkPolicy.prototype;
  mock.method(LinkPolicy.prototype, 'wake', function (this: LinkPolicy, now: number) {
    const phase = (this as unknown as { phase: string }).phase;
    return phase === 'waiting' ? wake.call(this, now) : [];
  });
  started();
  FakeSocket.all[0]!.onopen();
  pass(30_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(FakeSocket.all[0]!.isClosed, false);
});

test('without the check of the socket’s identity a late close would cost the living connection', () => {
  started();
  const old = FakeSocket.all[0]!;
  old.onopen();
  pass(8000);
  const living = FakeSocket.all.at(-1)!;
  living.onclose(); // what a close of the old socket would do if it were taken for the living one's
  pass(6000);
  assert.notEqual(FakeSocket.all.at(-1), living);
});
