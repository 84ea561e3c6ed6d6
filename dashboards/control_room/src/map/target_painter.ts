/**
 * Blits every target in view and remembers what it drew where, for picking, names and vectors.
 * No allocation a target: the loop runs over 20,000 of them in one frame.
 */
import { type Freshness, freshness } from '../picture/staleness.ts';
import { headingDeg, navStatus, station, Station } from '../picture/target_bits.ts';
import type { TargetTable } from '../picture/target_table.ts';
import { NOT_AVAILABLE_U16 } from '../wire/frame.ts';
import type { Framebuffer } from './blitter.ts';
import { type Motion, MOVING_TENTHS_KN, carriedS } from './motion.ts';
import { type SpriteAtlas, symbolKind } from './sprites.ts';

/** What the screen shows: Mercator metres to CSS pixels. North is up. */
export interface Viewport {
  centreX: number;
  centreY: number;
  /** Mercator metres a CSS pixel. */
  resolution: number;
  widthPx: number;
  heightPx: number;
  /** Canvas pixels a CSS pixel. */
  ratio: number;
}

/** Targets drawn in the last frame; CSS pixels. */
export class DrawnTargets {
  count = 0;
  slot = new Int32Array(1024);
  x = new Float32Array(1024);
  y = new Float32Array(1024);
  freshness: Freshness[] = [];

  add(slot: number, x: number, y: number, state: Freshness): void {
    if (this.count === this.slot.length) this.grow();
    this.slot[this.count] = slot;
    this.x[this.count] = x;
    this.y[this.count] = y;
    this.freshness[this.count] = state;
    this.count += 1;
  }

  /** Index of the target nearest to a point and within reach, or -1. */
  nearest(x: number, y: number, reachPx: number): number {
    let best = -1;
    let bestDistance2 = reachPx * reachPx;
    for (let i = 0; i < this.count; i += 1) {
      const distance2 = (this.x[i]! - x) ** 2 + (this.y[i]! - y) ** 2;
      if (distance2 <= bestDistance2) {
        best = i;
        bestDistance2 = distance2;
      }
    }
    return best;
  }

  private grow(): void {
    const wider = <T extends Int32Array | Float32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    const size = this.slot.length * 2;
    this.slot = wider(new Int32Array(size), this.slot);
    this.x = wider(new Float32Array(size), this.x);
    this.y = wider(new Float32Array(size), this.y);
  }
}

/** Symbols reach this far beyond their middle, CSS px. */
const MARGIN_PX = 16;

/**
 * Draw all targets in view.
 *
 * @param nowMs server UTC ms of the picture; the caller stops it when the link is lost.
 * @param isHull tells which slots are drawn to scale elsewhere: they are remembered but not blitted.
 */
export function paintTargets(
  table: TargetTable,
  motion: Motion,
  view: Viewport,
  nowMs: number,
  atlas: SpriteAtlas,
  buffer: Framebuffer,
  drawn: DrawnTargets,
  isHull: (slot: number) => boolean,
): void {
  drawn.count = 0;
  for (let slot = 0; slot < table.count; slot += 1) {
    const ageS = (nowMs - table.observedMs[slot]!) / 1000;
    const limitS = table.staleAfterS[slot]!;
    const carried = carriedS(ageS, limitS);
    const x = (motion.x[slot]! + motion.vx[slot]! * carried - view.centreX) / view.resolution + view.widthPx / 2;
    if (x < -MARGIN_PX || x > view.widthPx + MARGIN_PX) continue;
    const y = (view.centreY - motion.y[slot]! - motion.vy[slot]! * carried) / view.resolution + view.heightPx / 2;
    if (y < -MARGIN_PX || y > view.heightPx + MARGIN_PX) continue;
    const state = freshness(ageS, limitS);
    drawn.add(slot, x, y, state);
    if (isHull(slot)) continue;
    const direction = directionOf(table, slot);
    const kind = symbolKind(station(table.bits[slot]!), isAtRest(table, slot), direction);
    buffer.blit(atlas.get(kind, state, direction ?? 0), x * view.ratio, y * view.ratio);
  }
}

/** Heading, or else the course of a moving ship, degrees true; null where neither is known. */
export function directionOf(table: TargetTable, slot: number): number | null {
  const heading = headingDeg(table.bits[slot]!);
  if (heading !== null) return heading;
  const isMoving = table.sog[slot]! >= MOVING_TENTHS_KN && table.sog[slot]! !== NOT_AVAILABLE_U16;
  return isMoving && table.cog[slot]! !== NOT_AVAILABLE_U16 ? table.cog[slot]! / 10 : null;
}

/** At anchor, moored or aground and not moving, or simply not moving. */
export function isAtRest(table: TargetTable, slot: number): boolean {
  const sog = table.sog[slot]!;
  if (sog !== NOT_AVAILABLE_U16) return sog < MOVING_TENTHS_KN;
  const status = navStatus(table.bits[slot]!);
  return status === 1 || status === 5 || status === 6;
}

/** A vessel: what has a hull, a name worth showing and a course. */
export function isVessel(bits: number): boolean {
  const code = station(bits);
  return code === Station.classA || code === Station.classB;
}
