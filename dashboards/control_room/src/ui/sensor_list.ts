/** Fixed instruments other than cranes: wind first, each value with its unit, age and origin. */
import { type TemplateResult, html, nothing, svg } from 'lit';
import { course, latitude, longitude, number, quantity, UNKNOWN } from '../i18n/format.ts';
import { language, t, tData } from '../i18n/translate.ts';
import { asNumber } from '../picture/cranes.ts';
import type { Sensor, SensorValue } from '../wire/frame.ts';
import { ageTag } from './age_tag.ts';
import type { Desk } from './desk.ts';
import { SignalElement } from './signal_element.ts';

const ORDER = ['wind', 'water_level', 'weather', 'berth_sample', 'depth', 'gnss_fix'];
/** Unit and decimals of each field (contracts/payloads.py). */
const UNITS: Readonly<Record<string, readonly [string, number]>> = {
  speed_mps: ['m/s', 1],
  gust_3s_mps: ['m/s', 1],
  level_m: ['m', 2],
  below_transducer_m: ['m', 1],
  offset_m: ['m', 1],
  distance_m: ['m', 2],
  approach_speed_mps: ['m/s', 2],
  air_temperature_c: ['°C', 1],
  humidity_pct: ['%', 0],
  pressure_hpa: ['hPa', 1],
  water_temperature_c: ['°C', 1],
  visibility_m: ['m', 0],
  altitude_m: ['m', 1],
  gust_10min_mps: ['m/s', 1],
  dew_point_c: ['°C', 1],
  sog_kn: ['kn', 1],
  speed_kn: ['kn', 1],
  drift_kn: ['kn', 1],
  lon_error_m: ['m', 1],
  lat_error_m: ['m', 1],
  altitude_error_m: ['m', 1],
  range_m: ['m', 0],
  cursor_distance_m: ['m', 0],
};
/** Fields that are for machines: the time of a fix is what the card's age says. */
const UNSHOWN = new Set(['utc_ns', 'utc_of_day_s']);
const KN_PER_MPS = 3600 / 1852;

export class SensorList extends SignalElement {
  static override properties = { desk: { attribute: false } };
  declare desk: Desk;

  protected override render(): TemplateResult {
    const sensors = [...this.desk.picture.sensors.value.values()]
      .filter((sensor) => sensor.kind !== 'crane_sample')
      .sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id));
    if (sensors.length === 0) return html`<p class="empty">${t('sensor.none')}</p>`;
    return html`<div class="cards">${sensors.map((sensor) => this.renderCard(sensor))}</div>`;
  }

  private renderCard(sensor: Sensor): TemplateResult {
    const { ageS, isStale } = this.desk.sensorAge(sensor);
    const place =
      sensor.place === null
        ? `${sensor.gateway}.${sensor.source}`
        : (this.desk.chart.value?.nameOf(sensor.place, language.value) ?? sensor.place);
    const isWind = sensor.kind === 'wind';
    const shown = Object.entries(sensor.values).filter(([field]) => !UNSHOWN.has(field));
    return html`
      <article
        class="card ${isStale ? 'is-stale' : ''}"
        data-testid=${isWind ? 'wind' : 'sensor-card'}
        data-sensor=${sensor.id}
        data-freshness=${isStale ? 'stale' : 'fresh'}
      >
        <header>
          <h2>${tData('sensor', sensor.kind)}</h2>
          <span class="place">${place}</span>
        </header>
        ${isWind ? renderWind(sensor) : html`<dl class="pairs">${shown.map(([field, value]) => renderValue(field, value))}</dl>`}
        <footer>${ageTag(ageS, isStale)}<span class="origin">${sensor.gateway} · ${sensor.source}</span></footer>
      </article>
    `;
  }
}

function rank(sensor: Sensor): number {
  const at = ORDER.indexOf(sensor.kind);
  return at === -1 ? ORDER.length : at;
}

function renderWind(sensor: Sensor): TemplateResult {
  const speed = asNumber(sensor.values['speed_mps']);
  const from = asNumber(sensor.values['direction_deg']);
  const gust = asNumber(sensor.values['gust_3s_mps']);
  return html`
    <div class="wind">
      ${windRose(from)}
      <div>
        <div class="crane-load">
          <span class="big" data-field="speed_mps">${number(speed, 1)}</span><span class="unit">m/s</span>
        </div>
        <div class="wind-more">
          ${quantity(speed === null ? null : speed * KN_PER_MPS, 'kn', 0)} ·
          <span data-field="direction_deg">${course(from)}</span>
        </div>
        ${gust === null ? nothing : html`<div class="wind-more">${t('value.gust_3s_mps')} ${quantity(gust, 'm/s', 1)}</div>`}
      </div>
    </div>
  `;
}

function windRose(fromDeg: number | null): TemplateResult {
  const arrow =
    fromDeg === null
      ? svg``
      : svg`<g transform=${`rotate(${(fromDeg + 180) % 360} 32 32)`}><path class="rose-arrow" d="M32 10 L38 26 H33.6 V52 H30.4 V26 H26 Z" /></g>`;
  return html`<svg class="rose" viewBox="0 0 64 64" aria-hidden="true">
    ${svg`<circle class="rose-ring" cx="32" cy="32" r="29" /><path class="rose-ticks" d="M32 3v5M61 32h-5M32 61v-5M3 32h5" /><text class="rose-north" x="32" y="18" text-anchor="middle">N</text>`}${arrow}
  </svg>`;
}

function renderValue(field: string, value: SensorValue): TemplateResult {
  return html`<div>
    <dt>${tData('value', field)}</dt>
    <dd data-field=${field}>${wording(field, value)}</dd>
  </div>`;
}

function wording(field: string, value: SensorValue): string {
  if (value === null) return UNKNOWN;
  if (Array.isArray(value)) return value.map((tension) => number(tension, 0)).join(' · ') + '\u00a0kN';
  if (typeof value !== 'number') return String(value);
  if (field === 'lat_deg') return latitude(value);
  if (field === 'lon_deg') return longitude(value);
  const [unit, decimals] = UNITS[field] ?? ['', Number.isInteger(value) ? 0 : 1];
  return quantity(value, unit, decimals).trim();
}
customElements.define('pt-sensor-list', SensorList);
