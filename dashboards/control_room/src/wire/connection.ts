/**
 * The live WebSocket: a shell around `LinkPolicy`. Every frame goes to `onFrame`; a frame that cannot be used drops the
 * socket and asks for a snapshot, because a delta that was not understood leaves a picture that cannot be believed.
 */
import { decodeFrame } from './codec.ts';
import { type Frame, WireError } from './frame.ts';
import { LinkPolicy, type LinkState } from './link_policy.ts';

/** Where frames end; `resumePoint` names what the picture already holds, as `epoch:tick`, or null for a snapshot. */
export interface FrameSink {
  /** @throws WireError the frame does not continue the picture (reason `wrong_epoch`). */
  apply(frame: Frame, monoMs: number): void;
  resumePoint(): string | null;
  forgetResumePoint(): void;
}

export interface LinkReport {
  state: LinkState;
  /** Frames refused, by reason, since the page was loaded. */
  rejected: ReadonlyMap<string, number>;
  reconnects: number;
}

export class LiveConnection {
  private readonly policy: LinkPolicy;
  private readonly rejected = new Map<string, number>();
  private socket: WebSocket | null = null;
  private timer = 0;
  private connects = 0;
  private lastState: LinkState = 'connecting';

  constructor(
    private readonly url: string,
    private readonly sink: FrameSink,
    private readonly report: (report: LinkReport) => void,
  ) {
    this.policy = new LinkPolicy(performance.now());
  }

  start(): void {
    // a hidden page's timers are slowed down by the browser: look at once when it is seen again
    document.addEventListener('visibilitychange', () => this.step());
    window.addEventListener('online', () => this.step());
    this.step();
  }

  private step(): void {
    const now = performance.now();
    for (const action of this.policy.wake(now)) {
      if (action === 'drop') this.drop();
      else this.connect();
    }
    const state = this.policy.state(now);
    if (state !== this.lastState) this.tell(state);
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.step(), Math.max(10, this.policy.nextWakeMs(now) - now));
  }

  private connect(): void {
    const since = this.sink.resumePoint();
    const socket = new WebSocket(since === null ? this.url : `${this.url}?since=${encodeURIComponent(since)}`);
    socket.binaryType = 'arraybuffer';
    this.connects += 1;
    const current = (handler: () => void) => () => {
      if (this.socket === socket) handler(); // events of a socket that was given up say nothing about its successor
    };
    socket.onopen = current(() => {
      this.policy.opened(performance.now());
      this.step();
    });
    socket.onclose = current(() => {
      this.socket = null;
      this.policy.closed(performance.now());
      this.step();
    });
    socket.onmessage = (event) => {
      if (this.socket === socket) this.receive(event.data);
    };
    this.socket = socket;
  }

  private receive(data: unknown): void {
    const now = performance.now();
    try {
      if (!(data instanceof ArrayBuffer)) throw new WireError('not_binary', 'text message');
      this.sink.apply(decodeFrame(data), now);
      this.policy.frameArrived(now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.rejected.set(error.reason, (this.rejected.get(error.reason) ?? 0) + 1);
      console.warn(`live frame refused: ${error.message}`);
      this.sink.forgetResumePoint();
      this.drop();
      this.policy.closed(now);
      this.tell(this.policy.state(now));
    }
    this.step();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private tell(state: LinkState): void {
    this.lastState = state;
    this.report({ state, rejected: new Map(this.rejected), reconnects: Math.max(0, this.connects - 1) });
  }
}
