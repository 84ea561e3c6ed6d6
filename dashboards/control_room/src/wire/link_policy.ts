/**
 * Decides when the live link connects, waits, gives up on a silent server, and what the operator is told of it.
 * Sans-io: events and `nowMs` (any monotonic clock) in; what to do and when to be woken out.
 *
 * The server sends at least one frame a second (`docs/live_wire.md`), so silence is loss: 2.5 s without a frame is
 * shown, whatever the socket claims, and the socket is thrown away. 2.5 s leaves half a second to draw within the
 * 3 s that are promised to the operator.
 */

/** Silence that is a lost connection, ms. */
export const SILENCE_MS = 2500;
/** Longest wait for a connection to open, ms: a TCP handshake that takes longer meets a dead network. */
export const OPEN_TIMEOUT_MS = 4000;
/** Bounds of the full-jitter wait between attempts, ms: a whole port's consoles must not knock at once. */
export const BACKOFF_FLOOR_MS = 500;
export const BACKOFF_CAP_MS = 5000;

export type LinkState = 'connecting' | 'live' | 'lost';
export type LinkAction = 'connect' | 'drop';

type Phase = 'waiting' | 'opening' | 'open';

export class LinkPolicy {
  private phase: Phase = 'waiting';
  private phaseSinceMs: number;
  private connectAtMs: number;
  private lastFrameMs: number | null = null;
  private readonly startedMs: number;
  private attempt = 0;
  private readonly random: () => number;

  /**
   * @param nowMs the first connection is made at once.
   * @param random uniform in [0, 1); given for tests.
   */
  constructor(nowMs: number, random: () => number = Math.random) {
    this.startedMs = nowMs;
    this.phaseSinceMs = nowMs;
    this.connectAtMs = nowMs;
    this.random = random;
  }

  /** The socket opened. */
  opened(nowMs: number): void {
    this.enter('open', nowMs);
  }

  /** A well-formed frame was taken into the picture: only this proves that the link is alive. */
  frameArrived(nowMs: number): void {
    this.lastFrameMs = nowMs;
    this.attempt = 0;
  }

  /** The socket closed, failed, or was given up by the caller. */
  closed(nowMs: number): void {
    if (this.phase === 'waiting') return;
    this.waitForNextAttempt(nowMs);
  }

  /** What to do now; call it at every event and at `nextWakeMs`. */
  wake(nowMs: number): LinkAction[] {
    const silentSince = Math.max(this.phaseSinceMs, this.lastFrameMs ?? 0);
    if (this.phase === 'open' && nowMs - silentSince >= SILENCE_MS) return this.giveUp(nowMs);
    if (this.phase === 'opening' && nowMs - this.phaseSinceMs >= OPEN_TIMEOUT_MS) return this.giveUp(nowMs);
    if (this.phase === 'waiting' && nowMs >= this.connectAtMs) {
      this.enter('opening', nowMs);
      return ['connect'];
    }
    return [];
  }

  /** What the operator is told: `connecting` only before the first frame, and not for longer than the silence limit. */
  state(nowMs: number): LinkState {
    if (this.lastFrameMs === null) return nowMs - this.startedMs < SILENCE_MS ? 'connecting' : 'lost';
    return nowMs - this.lastFrameMs < SILENCE_MS ? 'live' : 'lost';
  }

  /** Monotonic ms at which `wake` and `state` may next say something else. */
  nextWakeMs(nowMs: number): number {
    const limits = [(this.lastFrameMs ?? this.startedMs) + SILENCE_MS];
    if (this.phase === 'waiting') limits.push(this.connectAtMs);
    if (this.phase === 'opening') limits.push(this.phaseSinceMs + OPEN_TIMEOUT_MS);
    if (this.phase === 'open') limits.push(Math.max(this.phaseSinceMs, this.lastFrameMs ?? 0) + SILENCE_MS);
    const ahead = limits.filter((limit) => limit > nowMs);
    return ahead.length > 0 ? Math.min(...ahead) : nowMs;
  }

  private giveUp(nowMs: number): LinkAction[] {
    this.waitForNextAttempt(nowMs);
    return ['drop'];
  }

  private waitForNextAttempt(nowMs: number): void {
    const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_FLOOR_MS * 2 ** Math.min(this.attempt, 10));
    this.attempt += 1;
    this.connectAtMs = nowMs + this.random() * ceiling;
    this.enter('waiting', nowMs);
  }

  private enter(phase: Phase, nowMs: number): void {
    this.phase = phase;
    this.phaseSinceMs = nowMs;
  }
}
