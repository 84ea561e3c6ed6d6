/** Cranes and wind marks for the map, from the chart and the latest samples. Pure but for words. */
import { quantity } from '../i18n/format.ts';
import { asNumber, craneViews } from '../picture/cranes.ts';
import type { Sensor } from '../wire/frame.ts';
import type { Chart } from './chart.ts';
import type { Fixtures } from './overlay.ts';
import { mercatorX, mercatorY } from './projection.ts';
import { type QuayLine, quayLines } from './quay_geometry.ts';

const quaysOf = new WeakMap<Chart, Map<string, QuayLine>>();

/** @param isStale whether a sensor's value may still be believed. */
export function mapFixtures(
  chart: Chart,
  sensors: ReadonlyMap<string, Sensor>,
  isStale: (sensor: Sensor) => boolean,
): Fixtures {
  let quays = quaysOf.get(chart);
  if (quays === undefined) {
    quays = quayLines(chart);
    quaysOf.set(chart, quays);
  }
  const onChart = new Map(chart.ofKind('crane').map((feature) => [feature.properties.id, feature]));
  const cranes = craneViews(chart, sensors.values()).flatMap((view) => {
    const feature = onChart.get(view.id);
    if (feature === undefined) return []; // a crane that the chart does not have has no quay to stand on
    const { gantryM, trolleyM, isLoaded, sensor } = view;
    return [
      { feature, gantryM, trolleyM, isLoaded, isKnown: sensor !== null, isStale: sensor !== null && isStale(sensor) },
    ];
  });
  return { cranes, winds: windMarks(chart, sensors, isStale), quays };
}

function windMarks(
  chart: Chart,
  sensors: ReadonlyMap<string, Sensor>,
  isStale: (sensor: Sensor) => boolean,
): Fixtures['winds'] {
  const masts = new Map(chart.ofKind('instrument').map((feature) => [feature.properties.id, feature]));
  return [...sensors.values()].flatMap((sensor) => {
    const mast = sensor.kind === 'wind' && sensor.place !== null ? masts.get(sensor.place) : undefined;
    if (mast === undefined || mast.geometry.type !== 'Point') return [];
    const [lon, lat] = mast.geometry.coordinates as [number, number];
    const speedMps = asNumber(sensor.values['speed_mps']);
    return [
      {
        x: mercatorX(lon),
        y: mercatorY(lat),
        speedMps,
        directionDeg: asNumber(sensor.values['direction_deg']),
        text: quantity(speedMps, 'm/s', 1),
        isStale: isStale(sensor),
      },
    ];
  });
}
