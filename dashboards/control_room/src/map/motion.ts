/**
 * Where each target is now: its observed place, carried forward by course and speed over ground.
 *
 * A target is carried for as long as it is fresh. After that it stands where it would have been when it became stale:
 * the last predicted position, which the symbol then shows as stale or lost (IMO SN.1/Circ.243). A target at rest,
 * or without course or speed, stands where it was observed.
 */
import type { TargetTable } from '../picture/target_table.ts';
import { NOT_AVAILABLE_U16 } from '../wire/frame.ts';
import { mercatorScale, mercatorX, mercatorY } from './projection.ts';

const MPS_PER_TENTH_KN = 1852 / 3600 / 10;
/** Below 0.5 kn the course is noise (as `moving=true` of docs/http_api.md). */
export const MOVING_TENTHS_KN = 5;

export class Motion {
  /** Mercator metres at observation. */
  x = new Float64Array(0);
  y = new Float64Array(0);
  /** Mercator metres a second. */
  vx = new Float32Array(0);
  vy = new Float32Array(0);

  /** Recompute all columns after the table changed. */
  refresh(table: TargetTable): void {
    if (this.x.length < table.count) this.resize(table.mmsi.length);
    for (let i = 0; i < table.count; i += 1) {
      const lat = table.latE7[i]! / 1e7;
      this.x[i] = mercatorX(table.lonE7[i]! / 1e7);
      this.y[i] = mercatorY(lat);
      const sog = table.sog[i]!;
      const cog = table.cog[i]!;
      const isMoving = sog !== NOT_AVAILABLE_U16 && cog !== NOT_AVAILABLE_U16 && sog >= MOVING_TENTHS_KN;
      const speed = isMoving ? sog * MPS_PER_TENTH_KN * mercatorScale(lat) : 0;
      const course = (cog / 1800) * Math.PI;
      this.vx[i] = speed * Math.sin(course);
      this.vy[i] = speed * Math.cos(course);
    }
  }

  private resize(size: number): void {
    this.x = new Float64Array(size);
    this.y = new Float64Array(size);
    this.vx = new Float32Array(size);
    this.vy = new Float32Array(size);
  }
}

/** Seconds to carry a target forward: its age, never negative, never past its stale limit. */
export function carriedS(ageS: number, staleAfterS: number): number {
  return Math.min(Math.max(ageS, 0), staleAfterS);
}
