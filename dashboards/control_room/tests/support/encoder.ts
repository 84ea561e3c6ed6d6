/** Encodes frames of docs/live_wire.md, written from the document and independent of the decoder. */

export interface TargetRow {
  mmsi: number;
  lonE7: number;
  latE7: number;
  sog: number;
  cog: number;
  bits: number;
  age: number;
}

export interface SectionBytes {
  type: number;
  body: Uint8Array;
}

export interface FrameSpec {
  version?: number;
  kind?: number;
  epoch?: number;
  tick?: number;
  serverTimeMs?: number;
  sections?: SectionBytes[];
}

export function encodeFrame(spec: FrameSpec): ArrayBuffer {
  const sections = spec.sections ?? [];
  const size = sections.reduce((sum, section) => sum + 8 + section.body.length, 24);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, spec.version ?? 1);
  view.setUint8(1, spec.kind ?? 1);
  view.setUint16(2, sections.length, true);
  view.setUint32(4, spec.epoch ?? 7, true);
  view.setUint32(8, spec.tick ?? 1, true);
  view.setFloat64(16, spec.serverTimeMs ?? 1_795_489_200_000, true);
  let offset = 24;
  for (const { type, body } of sections) {
    view.setUint8(offset, type);
    view.setUint32(offset + 4, body.length, true);
    bytes.set(body, offset + 8);
    offset += 8 + body.length;
  }
  return bytes.buffer;
}

export function targetsSection(rows: readonly TargetRow[]): SectionBytes {
  const body = new Uint8Array(4 + rows.length * 20);
  const view = new DataView(body.buffer);
  view.setUint32(0, rows.length, true);
  let offset = 4;
  const column = (width: number, write: (at: number, row: TargetRow) => void): void => {
    for (const row of rows) {
      write(offset, row);
      offset += width;
    }
  };
  column(4, (at, row) => view.setUint32(at, row.mmsi, true));
  column(4, (at, row) => view.setInt32(at, row.lonE7, true));
  column(4, (at, row) => view.setInt32(at, row.latE7, true));
  column(2, (at, row) => view.setUint16(at, row.sog, true));
  column(2, (at, row) => view.setUint16(at, row.cog, true));
  column(2, (at, row) => view.setUint16(at, row.bits, true));
  column(2, (at, row) => view.setUint16(at, row.age, true));
  return { type: 1, body };
}

export function goneSection(mmsis: readonly number[]): SectionBytes {
  const body = new Uint8Array(4 + mmsis.length * 4);
  const view = new DataView(body.buffer);
  view.setUint32(0, mmsis.length, true);
  mmsis.forEach((mmsi, i) => view.setUint32(4 + i * 4, mmsi, true));
  return { type: 2, body };
}

export function jsonSection(type: number, items: unknown): SectionBytes {
  return { type, body: new TextEncoder().encode(JSON.stringify(items)) };
}
