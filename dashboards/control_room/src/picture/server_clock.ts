/**
 * The server's UTC as this browser can know it: ages on screen must not depend on a console's wrong wall clock.
 * Sans-io: server times and monotonic ms in, server time out.
 *
 * A frame's time is too old by what it spent on the way, so the largest (server − monotonic) of the last frames is
 * the best estimate; a minute of them follows a server whose clock is stepped.
 */

/** Offsets kept: a minute at one frame a second, 12 s at five. */
const WINDOW = 60;
/** A step of the server's clock by more than this is taken over at once, ms. */
const STEP_MS = 5000;

export class ServerClock {
  private offsets: number[] = [];

  /**
   * @param serverTimeMs UTC ms of the frame.
   * @param monoMs monotonic ms at its arrival.
   */
  observe(serverTimeMs: number, monoMs: number): void {
    const offset = serverTimeMs - monoMs;
    const best = this.bestOffset();
    if (best !== null && Math.abs(offset - best) > STEP_MS) this.offsets = [];
    this.offsets.push(offset);
    if (this.offsets.length > WINDOW) this.offsets.shift();
  }

  /** Server UTC ms at `monoMs`, or null before the first frame. */
  now(monoMs: number): number | null {
    const best = this.bestOffset();
    return best === null ? null : monoMs + best;
  }

  private bestOffset(): number | null {
    return this.offsets.length === 0 ? null : Math.max(...this.offsets);
  }
}
