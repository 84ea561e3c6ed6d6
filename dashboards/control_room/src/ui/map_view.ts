/** The chart in the page: joins `ChartMap` to the desk, with zoom buttons, scale and the position pointed at. */
import { effect } from '@preact/signals-core';
import { type TemplateResult, html, nothing } from 'lit';
import { latitude, longitude, number, quantity } from '../i18n/format.ts';
import { language, t } from '../i18n/translate.ts';
import { ChartMap } from '../map/chart_map.ts';
import { mapFixtures } from '../map/fixtures.ts';
import type { Fixtures } from '../map/overlay.ts';
import { scaleBar } from '../map/scale_bar.ts';
import { SILENCE_MS } from '../wire/link_policy.ts';
import type { Desk } from './desk.ts';
import { iconButton } from './icon_button.ts';
import { EXTENT, MINUS, PLUS } from './icons.ts';
import { SignalElement } from './signal_element.ts';

export class MapView extends SignalElement {
  static override properties = { desk: { attribute: false } };
  declare desk: Desk;
  private map: ChartMap | null = null;
  private fixtures: Fixtures = { cranes: [], winds: [], quays: new Map() };
  private stops: (() => void)[] = [];

  centreOn(mmsi: number): void {
    const target = this.desk.picture.targets.get(mmsi);
    if (target !== null) this.map?.centreOn(target.lonDeg, target.latDeg);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.stops) stop();
  }

  protected override firstUpdated(): void {
    this.stops.push(
      effect(() => this.start()),
      effect(() => this.restyle()),
      effect(() => this.follow()),
    );
  }

  protected override render(): TemplateResult {
    const isLost = this.desk.link.value.state === 'lost';
    return html`
      <div
        class="map ${isLost ? 'is-lost' : ''}"
        tabindex="0"
        role="application"
        aria-label=${t('map.label')}
        data-testid="map"
      ></div>
      ${this.desk.chart.value === null ? html`<p class="map-loading">${t('map.loading')}</p>` : nothing}
      ${isLost ? html`<div class="map-veil" aria-hidden="true"><span>${t('notice.link_lost')}</span></div>` : nothing}
      <div class="map-buttons">
        ${iconButton(t('map.zoom_in'), PLUS, () => this.map?.zoomBy(1))}
        ${iconButton(t('map.zoom_out'), MINUS, () => this.map?.zoomBy(-1))}
        ${iconButton(t('map.whole_port'), EXTENT, () => this.map?.showWholePort())}
      </div>
      ${this.renderFoot()}
    `;
  }

  private renderFoot(): TemplateResult {
    this.desk.picture.revision.value; // the table itself is not a signal
    const pointed = this.desk.pointed.value;
    return html`
      <div class="map-foot">
        ${this.renderScale()}
        <span class="pointed">${pointed === null ? '' : `${latitude(pointed[1])}  ${longitude(pointed[0])}`}</span>
        <span>${number(this.desk.picture.targets.count)} ${t('map.targets')}</span>
      </div>
    `;
  }

  private renderScale(): TemplateResult | typeof nothing {
    const metresPerPx = this.desk.metresPerPx.value;
    if (metresPerPx === null) return nothing;
    const { metres, widthPx } = scaleBar(metresPerPx);
    const length = metres < 1852 ? quantity(metres, 'm') : quantity(metres / 1852, 'M');
    return html`<svg class="scale" width=${widthPx + 2} height="8" aria-hidden="true">
        <path d=${`M1 1v6h${widthPx}v-6`} />
      </svg>
      <span class="scale-text">${length}</span>`;
  }

  private start(): void {
    const chart = this.desk.chart.value;
    if (chart === null || this.map !== null) return;
    const { desk } = this;
    this.map = new ChartMap(
      this.querySelector<HTMLElement>('.map')!,
      chart,
      desk.picture,
      {
        pictureTimeMs: () => this.pictureTimeMs(),
        selectedMmsi: () => desk.selectedMmsi.peek(),
        fixtures: () => this.fixtures,
      },
      {
        picked: (mmsi) => (desk.selectedMmsi.value = mmsi),
        pointed: (lonLat) => (desk.pointed.value = lonLat),
        scaled: (metresPerPx) => (desk.metresPerPx.value = Math.round(metresPerPx * 1000) / 1000),
      },
      language.peek(),
    );
  }

  /** Ships are carried forward while the link lives, and stand still at the moment it was lost: no invented motion. */
  private pictureTimeMs(): number | null {
    const now = this.desk.picture.clock.now(performance.now());
    const last = this.desk.picture.lastFrameAtMs.peek();
    return now === null || last === null ? null : Math.min(now, last + SILENCE_MS);
  }

  private restyle(): void {
    this.desk.palette.value;
    this.map?.restyle(language.value);
  }

  private follow(): void {
    const { desk } = this;
    desk.picture.revision.value;
    desk.selectedMmsi.value;
    desk.nowMs.value;
    if (desk.chart.value !== null)
      this.fixtures = mapFixtures(
        desk.chart.value,
        desk.picture.sensors.value,
        (sensor) => desk.sensorAge(sensor).isStale,
      );
    this.map?.redraw();
  }
}
customElements.define('pt-map-view', MapView);
