/** The operator's desk: everything the components show and choose, as signals. Made once, in main.ts. */
import { computed, signal } from '@preact/signals-core';
import { type Language, language } from '../i18n/translate.ts';
import type { Chart } from '../map/chart.ts';
import { type Notice, currentNotices } from '../picture/notices.ts';
import { Station, station } from '../picture/target_bits.ts';
import type { Picture } from '../picture/picture.ts';
import { isSensorStale, ageOf } from '../picture/staleness.ts';
import type { Sensor } from '../wire/frame.ts';
import type { LinkReport } from '../wire/connection.ts';

export const PALETTES = ['day', 'dusk', 'night'] as const;
export type PaletteName = (typeof PALETTES)[number];
export const TABS = ['ships', 'cranes', 'sensors', 'gateways'] as const;
export type Tab = (typeof TABS)[number];

export class Desk {
  readonly link = signal<LinkReport>({ state: 'connecting', rejected: new Map(), reconnects: 0 });
  /** Server UTC ms, moved on twice a second; null before the first frame. */
  readonly nowMs = signal<number | null>(null);
  /** The same, moved on once a second: for lists that are costly to make. */
  readonly secondMs = computed(() => (this.nowMs.value === null ? null : Math.floor(this.nowMs.value / 1000) * 1000));
  readonly chart = signal<Chart | null>(null);
  readonly isChartMissing = signal(false);
  readonly selectedMmsi = signal<number | null>(null);
  readonly tab = signal<Tab>('ships');
  readonly palette = signal<PaletteName>(remembered('palette', PALETTES, 'dusk'));
  readonly pointed = signal<readonly [number, number] | null>(null);
  readonly metresPerPx = signal<number | null>(null);
  readonly notices = computed((): Notice[] =>
    currentNotices({
      link: this.link.value.state,
      lastFrameAtMs: this.picture.lastFrameAtMs.value,
      nowMs: this.nowMs.value,
      isChartMissing: this.isChartMissing.value,
      isWarming: this.picture.isWarming.value,
      distressMmsis: this.distress.value,
      gateways: this.picture.gateways.value.values(),
    }),
  );
  private readonly distress = computed((): number[] => {
    this.picture.revision.value; // the table itself is not a signal
    const { targets } = this.picture;
    const found: number[] = [];
    for (let slot = 0; slot < targets.count; slot += 1) {
      const isActive = station(targets.bits[slot]!) === Station.survival;
      if (isActive) found.push(targets.mmsi[slot]!);
    }
    return found;
  });

  constructor(readonly picture: Picture) {
    language.value = remembered('language', ['es', 'en'] as const, 'es');
  }

  timeZone(): string {
    return this.chart.value?.timeZone ?? 'UTC';
  }

  /** Age of a sensor's value and whether it may be believed. */
  sensorAge(sensor: Sensor): { ageS: number | null; isStale: boolean } {
    const ageS = ageOf(sensor.observed_at, this.nowMs.value);
    return { ageS, isStale: isSensorStale(sensor.kind, ageS, sensor.is_stale) };
  }

  choosePalette(name: PaletteName): void {
    this.palette.value = name;
    remember('palette', name);
  }

  chooseLanguage(name: Language): void {
    language.value = name;
    remember('language', name);
  }
}

function remembered<T extends string>(key: string, allowed: readonly T[], otherwise: T): T {
  try {
    const value = localStorage.getItem(`porttrack.${key}`);
    return allowed.find((candidate) => candidate === value) ?? otherwise;
  } catch {
    return otherwise; // storage may be forbidden by policy: the choice then lasts as long as the page
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`porttrack.${key}`, value);
  } catch {
    // see remembered()
  }
}
