/** One card a crane: what hangs from it and where, with the age of the sample and the gateway that sent it. */
import { type TemplateResult, html, nothing, svg } from 'lit';
import { number, quantity } from '../i18n/format.ts';
import { language, t } from '../i18n/translate.ts';
import { type CraneView, craneViews } from '../picture/cranes.ts';
import { ageTag } from './age_tag.ts';
import type { Desk } from './desk.ts';
import { SignalElement } from './signal_element.ts';

export class CraneList extends SignalElement {
  static override properties = { desk: { attribute: false } };
  declare desk: Desk;

  protected override render(): TemplateResult {
    const { desk } = this;
    const cranes = craneViews(desk.chart.value, desk.picture.sensors.value.values());
    if (cranes.length === 0) return html`<p class="empty">${t('crane.none')}</p>`;
    return html`<div class="cards">${cranes.map((crane) => this.renderCard(crane))}</div>`;
  }

  private renderCard(crane: CraneView): TemplateResult {
    const { sensor } = crane;
    const { ageS, isStale } = sensor === null ? { ageS: null, isStale: true } : this.desk.sensorAge(sensor);
    const name = this.desk.chart.value?.nameOf(crane.id, language.value) ?? crane.id;
    const state = sensor === null ? 'unknown' : crane.isLoaded ? 'loaded' : 'idle';
    return html`
      <article
        class="card ${isStale ? 'is-stale' : ''}"
        data-testid="crane-card"
        data-crane=${crane.id}
        data-state=${state}
        data-freshness=${isStale ? 'stale' : 'fresh'}
      >
        <header>
          <h2>${name}</h2>
          <span class="chip" data-field="state">${loadMark(state)} ${t(`crane.state.${state}`)}</span>
        </header>
        <div class="crane-load">
          <span class="big" data-field="hoist_load_t">${number(crane.loadT, 1)}</span><span class="unit">t</span>
          ${crane.limitT === null ? nothing : html`<span class="unit">${t('crane.of_limit', { limit: number(crane.limitT) })}</span>`}
          <span class="limit">${this.spreader(crane)}</span>
        </div>
        ${loadGauge(crane)}
        <dl class="pairs is-split">
          ${pair(t('crane.trolley'), quantity(crane.trolleyM, 'm', 1), 'trolley_m')}
          ${pair(t('crane.hoist'), quantity(crane.hoistM, 'm', 1), 'hoist_m')}
          ${pair(t('crane.gantry'), quantity(crane.gantryM, 'm', 1), 'gantry_m')}
          ${pair(t('crane.wind'), quantity(crane.windMps, 'm/s', 1), 'wind_mps')}
        </dl>
        <footer>
          ${ageTag(ageS, isStale)}<span class="origin"
            >${sensor === null ? '' : `${sensor.gateway} · ${sensor.source}`}</span
          >
        </footer>
      </article>
    `;
  }

  private spreader(crane: CraneView): TemplateResult {
    const twistLocks = crane.isLocked === null ? '–' : t(crane.isLocked ? 'crane.locked' : 'crane.unlocked');
    const place = crane.isLanded === null ? '–' : t(crane.isLanded ? 'crane.landed' : 'crane.suspended');
    return html`<span data-field="spreader">${twistLocks} · ${place}</span>`;
  }
}

function pair(name: string, value: string, field: string): TemplateResult {
  return html`<div>
    <dt>${name}</dt>
    <dd data-field=${field}>${value}</dd>
  </div>`;
}

/** Filled and hollow square, as on the map. */
function loadMark(state: string): TemplateResult | typeof nothing {
  if (state === 'unknown') return nothing;
  const fill = state === 'loaded' ? 'currentColor' : 'none';
  return html`<svg
    class="icon"
    viewBox="0 0 16 16"
    aria-hidden="true"
    fill=${fill}
    stroke="currentColor"
    stroke-width="1.6"
  >
    <rect x="3" y="3" width="10" height="10" />
  </svg>`;
}

function loadGauge(crane: CraneView): TemplateResult {
  const part = crane.loadT === null || !crane.limitT ? 0 : Math.min(1, Math.max(0, crane.loadT / crane.limitT));
  return html`<svg class="gauge" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect class="gauge-track" width="100" height="4" /><rect class="gauge-fill" width=${(part * 100).toFixed(1)} height="4" />`}
  </svg>`;
}
customElements.define('pt-crane-list', CraneList);
