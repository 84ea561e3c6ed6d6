/** The cranes that the chart and the sensors know of, joined by their id. Pure. */
import type { Chart } from '../map/chart.ts';
import type { Sensor, SensorValue } from '../wire/frame.ts';

export interface CraneView {
  id: string;
  sensor: Sensor | null;
  loadT: number | null;
  limitT: number | null;
  isLocked: boolean | null;
  isLanded: boolean | null;
  trolleyM: number | null;
  hoistM: number | null;
  gantryM: number | null;
  windMps: number | null;
  /** Twist-locks closed on a unit: the spreader carries, whatever the load cell reads. */
  isLoaded: boolean;
}

/** All cranes by id; one that the chart has and no sensor speaks for is listed without data. */
export function craneViews(chart: Chart | null, sensors: Iterable<Sensor>): CraneView[] {
  const limits = new Map<string, number | null>();
  for (const feature of chart?.ofKind('crane') ?? []) {
    limits.set(feature.properties.id, asNumber(feature.properties['safe_working_load_t'] as SensorValue));
  }
  const samples = new Map<string, Sensor>();
  for (const sensor of sensors) {
    if (sensor.kind === 'crane_sample') samples.set(sensor.place ?? `${sensor.gateway}.${sensor.source}`, sensor);
  }
  const ids = new Set([...limits.keys(), ...samples.keys()]);
  return [...ids].sort().map((id) => craneView(id, samples.get(id) ?? null, limits.get(id) ?? null));
}

function craneView(id: string, sensor: Sensor | null, limitT: number | null): CraneView {
  const values = sensor?.values ?? {};
  const isLocked = asBoolean(values['is_spreader_locked']);
  return {
    id,
    sensor,
    limitT,
    loadT: asNumber(values['hoist_load_t']),
    isLocked,
    isLanded: asBoolean(values['is_spreader_landed']),
    trolleyM: asNumber(values['trolley_m']),
    hoistM: asNumber(values['hoist_m']),
    gantryM: asNumber(values['gantry_m']),
    windMps: asNumber(values['wind_mps']),
    isLoaded: isLocked === true,
  };
}

export function asNumber(value: SensorValue | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function asBoolean(value: SensorValue | undefined): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
