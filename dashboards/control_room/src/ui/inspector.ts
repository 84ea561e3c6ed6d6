/** Everything that is known of the selected target: each group of values with its age, and where it came from. */
import { type TemplateResult, html, nothing } from 'lit';
import { age, clock, course, latitude, longitude, number, quantity } from '../i18n/format.ts';
import { t, tData } from '../i18n/translate.ts';
import { hullSize } from '../map/hull.ts';
import { freshness } from '../picture/staleness.ts';
import { STATION_KEYS } from '../picture/target_bits.ts';
import type { Target } from '../picture/target_table.ts';
import type { StaticData } from '../wire/frame.ts';
import { type VesselOrigin, fetchOrigin } from '../wire/vessel_origin.ts';
import { ageTag } from './age_tag.ts';
import type { Desk } from './desk.ts';
import { iconButton } from './icon_button.ts';
import { CLOSE, TARGET } from './icons.ts';
import { SignalElement } from './signal_element.ts';

/** The origin is asked again this often while a target is looked at, ms: another receiver may take it over. */
const ORIGIN_EVERY_MS = 5000;

export class Inspector extends SignalElement {
  static override properties = { desk: { attribute: false }, origin: { state: true } };
  declare desk: Desk;
  /** `undefined` while it is being asked for the first time. */
  declare origin: VesselOrigin | null | undefined;
  private askedFor: number | null = null;
  private timer = 0;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearTimeout(this.timer);
  }

  protected override render(): TemplateResult {
    const mmsi = this.desk.selectedMmsi.value;
    this.follow(mmsi);
    if (mmsi === null) return html``;
    this.desk.picture.revision.value; // the table itself is not a signal
    const target = this.desk.picture.targets.get(mmsi);
    const data = this.desk.picture.statics.get(mmsi);
    return html`
      <aside
        class="inspector"
        data-testid="inspector"
        data-mmsi=${mmsi}
        aria-label=${t('inspector.title')}
        @keydown=${(event: KeyboardEvent) => event.key === 'Escape' && this.close()}
      >
        <header>
          <h2>${data?.name ?? mmsi}</h2>
          ${iconButton(t('inspector.centre'), TARGET, () => this.centre(mmsi), target === null)}
          ${iconButton(t('inspector.close'), CLOSE, this.close)}
        </header>
        ${target === null ? html`<p class="empty">${t('inspector.gone')}</p>` : this.renderTarget(target)}
        ${this.renderIdentity(mmsi, data)}
      </aside>
    `;
  }

  private renderTarget(target: Target): TemplateResult {
    const now = this.desk.nowMs.value;
    const ageS = now === null ? null : Math.max(0, (now - target.observedMs) / 1000);
    const state = ageS === null ? 'stale' : freshness(ageS, target.staleAfterS);
    const zone = this.desk.timeZone();
    return html`
      <section class=${state === 'fresh' ? '' : 'is-stale'} data-freshness=${state}>
        <h3>${t('inspector.kinematics')} ${ageTag(ageS, state !== 'fresh')}</h3>
        <div class="motion">
          <div><span class="big">${number(target.sogKn, 1)}</span><span class="unit">kn</span><small>SOG</small></div>
          <div><span class="big">${course(target.cogDeg)}</span><small>COG</small></div>
          <div><span class="big">${course(target.headingDeg)}</span><small>${t('field.heading')}</small></div>
        </div>
        <dl class="pairs">
          ${pair(t('field.status'), tData('status', target.navStatus))}
          ${pair(t('field.latitude'), latitude(target.latDeg))} ${pair(t('field.longitude'), longitude(target.lonDeg))}
        </dl>
      </section>
      <section>
        <h3>${t('inspector.origin')}</h3>
        <dl class="pairs">
          ${pair(t('field.observed'), `${clock(target.observedMs, zone)} ${t('bar.local_time')} · ${clock(target.observedMs, 'UTC')} ${t('bar.utc')}`)}
          ${pair(t('field.station'), tData('station', STATION_KEYS[target.station]!))}
          ${pair(t('field.gateway'), this.originText('gateway'))} ${pair(t('field.source'), this.originText('source'))}
          ${pair(t('field.stale_after'), age(target.staleAfterS))}
        </dl>
      </section>
    `;
  }

  private renderIdentity(mmsi: number, data: StaticData | undefined): TemplateResult {
    const hull = hullSize(data);
    return html`
      <section>
        <h3>${t('inspector.identity')}</h3>
        <dl class="pairs">
          ${pair(t('field.mmsi'), String(mmsi))} ${pair(t('field.callsign'), data?.callsign ?? '–')}
          ${pair(t('field.imo'), data?.imo === undefined ? '–' : String(data.imo))}
          ${pair(t('field.ship_type'), shipType(data?.ship_type))}
          ${pair(t('field.destination'), data?.destination ?? '–')}
          ${hull === null ? nothing : pair(t('field.length'), quantity(hull.bowM + hull.sternM, 'm'))}
          ${hull === null ? nothing : pair(t('field.beam'), quantity(hull.portM + hull.starboardM, 'm'))}
          ${pair(t('field.draught'), quantity(data?.draught_m, 'm', 1))}
        </dl>
      </section>
    `;
  }

  private originText(part: 'gateway' | 'source'): string {
    if (this.origin === undefined) return t('origin.asking');
    if (this.origin === null) return t('origin.unknown');
    return this.origin[part] ?? '–';
  }

  private follow(mmsi: number | null): void {
    if (mmsi === this.askedFor) return;
    this.askedFor = mmsi;
    window.clearTimeout(this.timer);
    if (mmsi === null) return;
    queueMicrotask(() => {
      this.origin = undefined; // not while drawing
      void this.ask(mmsi);
    });
  }

  private async ask(mmsi: number): Promise<void> {
    const origin = await fetchOrigin(mmsi);
    if (this.askedFor !== mmsi || !this.isConnected) return;
    this.origin = origin;
    this.timer = window.setTimeout(() => void this.ask(mmsi), ORIGIN_EVERY_MS);
  }

  private centre(mmsi: number): void {
    this.dispatchEvent(new CustomEvent('pt-centre', { bubbles: true, detail: mmsi }));
  }

  private close = (): void => {
    this.desk.selectedMmsi.value = null;
  };
}

function pair(name: string, value: string): TemplateResult {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}

/** Ship type by its own word, or by the word of its group of ten (ITU-R M.1371-5, table 53). */
function shipType(code: number | undefined): string {
  if (code === undefined) return '–';
  const own = tData('type', code);
  if (own !== String(code)) return `${own} (${code})`;
  return `${tData('type', Math.floor(code / 10))} (${code})`;
}
customElements.define('pt-inspector', Inspector);
