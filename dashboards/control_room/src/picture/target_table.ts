/**
 * All targets as columns, one slot a target, without holes: what is drawn sixty times a second is scanned, not looked
 * up. A slot number is good until the next `remove`; an MMSI is good for ever.
 */
import type { TargetColumns } from '../wire/frame.ts';
import { cogDeg, headingDeg, navStatus, sogKn, station } from './target_bits.ts';
import { staleAfterS } from './staleness.ts';

/** Most targets held: three times the busiest national feed; a server that sends more is broken. Counted beyond. */
export const MAX_TARGETS = 65_536;

/** One target as the lists and the inspector read it. */
export interface Target {
  mmsi: number;
  lonDeg: number;
  latDeg: number;
  sogKn: number | null;
  cogDeg: number | null;
  headingDeg: number | null;
  navStatus: number;
  station: number;
  /** Server UTC ms at which the position was observed. */
  observedMs: number;
  staleAfterS: number;
}

export class TargetTable {
  count = 0;
  /** Targets refused because the table is full, since the page was loaded. */
  refused = 0;
  mmsi = new Uint32Array(256);
  lonE7 = new Int32Array(256);
  latE7 = new Int32Array(256);
  sog = new Uint16Array(256);
  cog = new Uint16Array(256);
  bits = new Uint16Array(256);
  observedMs = new Float64Array(256);
  staleAfterS = new Float32Array(256);
  private readonly slots = new Map<number, number>();
  private readonly capacity: number;

  constructor(capacity = MAX_TARGETS) {
    this.capacity = capacity;
  }

  /** Take over targets of a frame; `age` counts back from the frame's server time. */
  upsert(columns: TargetColumns, serverTimeMs: number): void {
    for (let i = 0; i < columns.count; i += 1) {
      const slot = this.slotFor(columns.mmsi[i]!);
      if (slot === -1) {
        this.refused += 1;
        continue;
      }
      const bits = columns.bits[i]!;
      const sog = columns.sog[i]!;
      this.lonE7[slot] = columns.lonE7[i]!;
      this.latE7[slot] = columns.latE7[i]!;
      this.sog[slot] = sog;
      this.cog[slot] = columns.cog[i]!;
      this.bits[slot] = bits;
      this.observedMs[slot] = serverTimeMs - columns.age[i]! * 100;
      this.staleAfterS[slot] = staleAfterS(station(bits), navStatus(bits), sogKn(sog));
    }
  }

  remove(mmsi: number): void {
    const slot = this.slots.get(mmsi);
    if (slot === undefined) return;
    this.slots.delete(mmsi);
    this.count -= 1;
    if (slot === this.count) return;
    for (const column of this.columns()) column[slot] = column[this.count]!;
    this.slots.set(this.mmsi[slot]!, slot);
  }

  clear(): void {
    this.slots.clear();
    this.count = 0;
  }

  /** Slot of an MMSI, or -1. */
  slotOf(mmsi: number): number {
    return this.slots.get(mmsi) ?? -1;
  }

  get(mmsi: number): Target | null {
    const slot = this.slotOf(mmsi);
    return slot === -1 ? null : this.at(slot);
  }

  at(slot: number): Target {
    const bits = this.bits[slot]!;
    return {
      mmsi: this.mmsi[slot]!,
      lonDeg: this.lonE7[slot]! / 1e7,
      latDeg: this.latE7[slot]! / 1e7,
      sogKn: sogKn(this.sog[slot]!),
      cogDeg: cogDeg(this.cog[slot]!),
      headingDeg: headingDeg(bits),
      navStatus: navStatus(bits),
      station: station(bits),
      observedMs: this.observedMs[slot]!,
      staleAfterS: this.staleAfterS[slot]!,
    };
  }

  private slotFor(mmsi: number): number {
    const known = this.slots.get(mmsi);
    if (known !== undefined) return known;
    if (this.count >= this.capacity) return -1;
    if (this.count === this.mmsi.length) this.grow();
    const slot = this.count;
    this.count += 1;
    this.mmsi[slot] = mmsi;
    this.slots.set(mmsi, slot);
    return slot;
  }

  private columns(): (Uint32Array | Int32Array | Uint16Array | Float64Array | Float32Array)[] {
    return [this.mmsi, this.lonE7, this.latE7, this.sog, this.cog, this.bits, this.observedMs, this.staleAfterS];
  }

  private grow(): void {
    const size = this.mmsi.length * 2;
    const wider = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.mmsi = wider(new Uint32Array(size), this.mmsi);
    this.lonE7 = wider(new Int32Array(size), this.lonE7);
    this.latE7 = wider(new Int32Array(size), this.latE7);
    this.sog = wider(new Uint16Array(size), this.sog);
    this.cog = wider(new Uint16Array(size), this.cog);
    this.bits = wider(new Uint16Array(size), this.bits);
    this.observedMs = wider(new Float64Array(size), this.observedMs);
    this.staleAfterS = wider(new Float32Array(size), this.staleAfterS);
  }
}
