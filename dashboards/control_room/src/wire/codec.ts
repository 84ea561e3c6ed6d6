/**
 * Decodes one binary frame of `/ws/live`. Sans-io: bytes in, a frame or a `WireError` out, whatever the bytes are.
 *
 * Columns are copied out of the frame with DataView reads: sections start at any offset, typed-array views would need
 * alignment, and the wire is little-endian whatever the machine is. Source: `docs/live_wire.md`.
 */
import { type Frame, type Gateway, type Sensor, type StaticData, type TargetColumns, WireError } from './frame.ts';

const VERSION = 1;
const HEADER_BYTES = 24;
const SECTION_HEADER_BYTES = 8;
const TARGET_BYTES = 20;

/** Largest frame believed: 200,000 targets (4 MB) and as much again of names and sensors, with room. */
export const MAX_FRAME_BYTES = 32 * 1024 * 1024;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Decode one frame.
 *
 * @param buffer the message as it arrived, any bytes.
 * @throws WireError reason `too_large`, `truncated`, `unknown_version`, `unknown_kind`, `bad_time`, `bad_section`,
 *   `not_json` or `not_utf8`.
 */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength > MAX_FRAME_BYTES) throw new WireError('too_large', `${buffer.byteLength} bytes`);
  if (buffer.byteLength < HEADER_BYTES) throw new WireError('truncated', `${buffer.byteLength} bytes of header`);
  const view = new DataView(buffer);
  const version = view.getUint8(0);
  if (version !== VERSION) throw new WireError('unknown_version', `version ${version}`);
  const frame = emptyFrame(view);
  let offset = HEADER_BYTES;
  for (let left = view.getUint16(2, true); left > 0; left -= 1) offset = readSection(view, offset, frame);
  return frame;
}

function emptyFrame(view: DataView): Frame {
  const kind = view.getUint8(1);
  if (kind !== 1 && kind !== 2) throw new WireError('unknown_kind', `kind ${kind}`);
  const serverTimeMs = view.getFloat64(16, true);
  if (!Number.isFinite(serverTimeMs)) throw new WireError('bad_time', `server time ${serverTimeMs}`);
  return {
    kind: kind === 1 ? 'snapshot' : 'delta',
    epoch: view.getUint32(4, true),
    tick: view.getUint32(8, true),
    serverTimeMs,
    targets: [],
    targetsGone: [],
    statics: [],
    sensors: [],
    gateways: [],
    sensorsGone: [],
    isWarming: false,
  };
}

function readSection(view: DataView, start: number, frame: Frame): number {
  if (start + SECTION_HEADER_BYTES > view.byteLength) throw new WireError('truncated', `section header at ${start}`);
  const type = view.getUint8(start);
  const length = view.getUint32(start + 4, true);
  const body = start + SECTION_HEADER_BYTES;
  const end = body + length;
  if (end > view.byteLength) throw new WireError('truncated', `section ${type} of ${length} bytes at ${start}`);
  switch (type) {
    case 1:
      frame.targets.push(readTargets(view, body, length));
      break;
    case 2:
      frame.targetsGone.push(readMmsis(view, body, length));
      break;
    case 3:
      append(frame.statics, readObjects(view, body, length, isStaticData));
      break;
    case 4:
      append(frame.sensors, readObjects(view, body, length, isSensor));
      break;
    case 5:
      append(frame.gateways, readObjects(view, body, length, isGateway));
      break;
    case 6:
      append(frame.sensorsGone, readObjects(view, body, length, isString));
      break;
    case 7:
      frame.isWarming = readObjects(view, body, length, isBoolean).includes(true);
      break;
    default: // a newer server says more than this program knows: skipped by its length
  }
  return end;
}

function readCount(view: DataView, body: number, length: number, itemBytes: number): number {
  if (length < 4) throw new WireError('bad_section', `${length} bytes hold no count`);
  const count = view.getUint32(body, true);
  if (4 + count * itemBytes !== length) throw new WireError('bad_section', `${count} items in ${length} bytes`);
  return count;
}

function readTargets(view: DataView, body: number, length: number): TargetColumns {
  const count = readCount(view, body, length, TARGET_BYTES);
  let offset = body + 4;
  const mmsi = readMmsis(view, body, 4 + count * 4, count);
  offset += count * 4;
  const lonE7 = new Int32Array(count);
  for (let i = 0; i < count; i += 1, offset += 4) lonE7[i] = view.getInt32(offset, true);
  const latE7 = new Int32Array(count);
  for (let i = 0; i < count; i += 1, offset += 4) latE7[i] = view.getInt32(offset, true);
  const column = (): Uint16Array => {
    const values = new Uint16Array(count);
    for (let i = 0; i < count; i += 1, offset += 2) values[i] = view.getUint16(offset, true);
    return values;
  };
  return { count, mmsi, lonE7, latE7, sog: column(), cog: column(), bits: column(), age: column() };
}

function readMmsis(view: DataView, body: number, length: number, known?: number): Uint32Array {
  const count = known ?? readCount(view, body, length, 4);
  const values = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) values[i] = view.getUint32(body + 4 + i * 4, true);
  return values;
}

function readObjects<T>(view: DataView, body: number, length: number, isItem: (item: unknown) => item is T): T[] {
  let text: string;
  try {
    text = UTF8.decode(new Uint8Array(view.buffer, body, length));
  } catch {
    throw new WireError('not_utf8', `section of ${length} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WireError('not_json', `section of ${length} bytes`);
  }
  if (!Array.isArray(value) || !value.every(isItem)) throw new WireError('bad_section', 'not an array of the expected');
  return value;
}

function append<T>(all: T[], more: T[]): void {
  for (const item of more) all.push(item); // push(...more) overflows the stack at some 100,000 items
}

function isRecord(item: unknown): item is Record<string, unknown> {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

function isBoolean(item: unknown): item is boolean {
  return typeof item === 'boolean';
}

function isString(item: unknown): item is string {
  return typeof item === 'string';
}

function isStaticData(item: unknown): item is StaticData {
  return isRecord(item) && typeof item['mmsi'] === 'number';
}

function isSensor(item: unknown): item is Sensor {
  return isRecord(item) && isString(item['id']) && isString(item['kind']) && isRecord(item['values']);
}

function isGateway(item: unknown): item is Gateway {
  return isRecord(item) && isString(item['id']) && Array.isArray(item['sources']);
}
