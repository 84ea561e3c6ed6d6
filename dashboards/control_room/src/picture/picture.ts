/**
 * The live picture: frames folded into targets, static data, sensors and gateways.
 *
 * Rules: a snapshot replaces everything; a delta replaces whole items, so that the same one twice is the same as once; a
 * delta of an earlier tick is late and changes nothing; a delta of another epoch continues some other picture and is refused. What was last
 * known stays when the link is lost: it ages, it does not vanish.
 */
import { signal } from '@preact/signals-core';
import { type Frame, type Gateway, type Sensor, type StaticData, WireError } from '../wire/frame.ts';
import type { FrameSink } from '../wire/connection.ts';
import { ServerClock } from './server_clock.ts';
import { TargetTable } from './target_table.ts';

/** Most static data kept: names come and go with targets, but the wire never says that a name is gone. */
export const MAX_STATICS = 131_072;

export class Picture implements FrameSink {
  readonly targets = new TargetTable();
  readonly statics = new Map<number, StaticData>();
  readonly clock = new ServerClock();
  /** Rises when targets or names change; the table itself is read without signals. */
  readonly revision = signal(0);
  readonly sensors = signal<ReadonlyMap<string, Sensor>>(new Map());
  readonly gateways = signal<ReadonlyMap<string, Gateway>>(new Map());
  /** Server UTC ms of the last frame, null before the first. */
  readonly lastFrameAtMs = signal<number | null>(null);
  /** The server still fills its picture from the history: what is not listed may be in the port all the same. */
  readonly isWarming = signal(false);
  /** Deltas of a tick before the one held, since the page was loaded. */
  late = 0;
  private epoch: number | null = null;
  private tick = 0;
  private mayResume = false;

  apply(frame: Frame, monoMs: number): void {
    if (frame.kind === 'delta') {
      if (this.epoch !== frame.epoch) throw new WireError('wrong_epoch', 'delta of another epoch');
      if (frame.tick < this.tick) {
        this.late += 1;
        return;
      }
    }
    this.clock.observe(frame.serverTimeMs, monoMs);
    this.foldTargets(frame);
    this.foldSensors(frame);
    if (frame.gateways.length > 0 || frame.kind === 'snapshot') {
      this.gateways.value = merged(frame.kind === 'snapshot' ? new Map() : this.gateways.peek(), frame.gateways);
    }
    this.isWarming.value = frame.isWarming;
    this.epoch = frame.epoch;
    this.tick = frame.tick;
    this.mayResume = true;
    this.lastFrameAtMs.value = frame.serverTimeMs;
  }

  resumePoint(): string | null {
    return this.mayResume ? `${this.epoch}:${this.tick}` : null;
  }

  forgetResumePoint(): void {
    this.mayResume = false;
  }

  private foldTargets(frame: Frame): void {
    const isSnapshot = frame.kind === 'snapshot';
    if (isSnapshot) {
      this.targets.clear();
      this.statics.clear();
    }
    for (const gone of frame.targetsGone) {
      for (const mmsi of gone) {
        this.targets.remove(mmsi);
        this.statics.delete(mmsi);
      }
    }
    for (const columns of frame.targets) this.targets.upsert(columns, frame.serverTimeMs);
    for (const data of frame.statics) {
      if (this.statics.size < MAX_STATICS || this.statics.has(data.mmsi)) this.statics.set(data.mmsi, data);
    }
    const changed = frame.targets.length + frame.targetsGone.length + frame.statics.length > 0;
    if (isSnapshot || changed) this.revision.value += 1;
  }

  private foldSensors(frame: Frame): void {
    const isSnapshot = frame.kind === 'snapshot';
    if (!isSnapshot && frame.sensors.length === 0 && frame.sensorsGone.length === 0) return;
    const sensors = merged(isSnapshot ? new Map() : this.sensors.peek(), frame.sensors);
    for (const id of frame.sensorsGone) sensors.delete(id);
    this.sensors.value = sensors;
  }
}

function merged<T extends { id: string }>(known: ReadonlyMap<string, T>, changes: T[]): Map<string, T> {
  const all = new Map(known);
  for (const item of changes) all.set(item.id, item);
  return all;
}
