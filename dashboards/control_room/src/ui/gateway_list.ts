/** The gateways: heard or not, whether all of theirs is here, what waits on their disks, their clocks and sources. */
import { type TemplateResult, html, nothing } from 'lit';
import { UNKNOWN, age, clock, day, number, quantity } from '../i18n/format.ts';
import { language, plural, t, tData } from '../i18n/translate.ts';
import { BACKLOG_S, gatewayContact } from '../picture/notices.ts';
import { ageOf } from '../picture/staleness.ts';
import type { Gateway, GatewaySource } from '../wire/frame.ts';
import { ageTag } from './age_tag.ts';
import type { Desk } from './desk.ts';
import { renderBalance } from './gateway_balance.ts';
import { PRIORITY } from './icons.ts';
import { SignalElement } from './signal_element.ts';

export class GatewayList extends SignalElement {
  static override properties = { desk: { attribute: false } };
  declare desk: Desk;

  protected override render(): TemplateResult {
    const gateways = [...this.desk.picture.gateways.value.values()].sort((a, b) => a.id.localeCompare(b.id));
    if (gateways.length === 0) return html`<p class="empty">${t('gateway.none')}</p>`;
    return html`<div class="cards">${gateways.map((gateway) => this.renderGateway(gateway))}</div>`;
  }

  private renderGateway(gateway: Gateway): TemplateResult {
    const { ageS, isOnline } = gatewayContact(gateway, this.desk.nowMs.value);
    const chip = isOnline
      ? html`<span class="chip">${t('gateway.online')}</span>`
      : html`<span class="chip priority-warning">${PRIORITY.warning} ${t('gateway.offline')}</span>`;
    return html`
      <article
        class="card ${isOnline ? '' : 'is-stale'}"
        data-testid="gateway-row"
        data-gateway=${gateway.gateway}
        data-id=${gateway.id}
        data-state=${isOnline ? 'online' : 'offline'}
      >
        <header>
          <h2>${gateway.gateway}</h2>
          ${chip}
        </header>
        ${this.renderDisk(gateway)}
        <ul class="sources" aria-label=${t('field.sources')}>
          ${gateway.sources.map((source) => this.renderSource(source))}
        </ul>
        <footer>${ageTag(ageS, !isOnline)}<span class="origin">${gateway.site}</span></footer>
      </article>
    `;
  }

  private renderDisk(gateway: Gateway): TemplateResult {
    const oldestS = gateway.oldest_unacknowledged_s;
    const isBehind = oldestS !== null && oldestS >= BACKLOG_S;
    const records = plural('gateway.records', gateway.buffered_records, number(gateway.buffered_records));
    const oldest = isBehind
      ? html`<span class="chip priority-warning">${PRIORITY.warning} ${age(oldestS)}</span>`
      : html`${age(oldestS)}`;
    const quarantined = html`<span class="chip priority-caution"
      >${PRIORITY.caution} ${number(gateway.quarantined_batches)}</span
    >`;
    return html`
      <dl class="pairs">
        ${renderBalance(gateway, this.desk.timeZone())}
        ${pair('field.buffered', html`${records} · ${bytes(gateway.buffered_bytes)}`, 'buffered_records')}
        ${pair('field.oldest', oldest, 'oldest_unacknowledged_s')}
        ${gateway.quarantined_batches > 0 ? pair('field.quarantined', quarantined, 'quarantined_batches') : nothing}
        ${pair('field.clock', html`${clockQuality(gateway)}`, 'clock')}
        ${pair('field.clock_offset', html`${quantity(gateway.clock_offset_ms, 'ms', 0)}`, 'clock_offset_ms')}
        ${pair('field.software', html`${gateway.software}`, 'software')}
        ${pair('field.started', html`${this.started(gateway)}`, 'started_at')}
      </dl>
    `;
  }

  private started(gateway: Gateway): string {
    const at = gateway.started_at === null ? Number.NaN : Date.parse(gateway.started_at);
    const zone = this.desk.timeZone();
    return Number.isFinite(at) ? `${day(at, zone)} ${clock(at, zone)} ${t('bar.local_time')}` : UNKNOWN;
  }

  private renderSource(source: GatewaySource): TemplateResult {
    const isDown = source.state === 'backoff' || source.state === 'stopped';
    const lastAgeS = ageOf(source.last_record_at, this.desk.nowMs.value);
    const rejected = Object.values(source.rejected).reduce((sum, count) => sum + count, 0);
    return html`
      <li data-source=${source.source} data-state=${source.state}>
        <span class="source-name"
          ><b>${source.source}</b
          >${source.place === null ? nothing : html` <small>${this.desk.chart.value?.nameOf(source.place, language.value) ?? source.place}</small>`}</span
        >
        <span class=${isDown ? 'chip priority-caution' : 'source-state'}
          >${isDown ? PRIORITY.caution : nothing} ${tData('source', source.state)}</span
        >
        <small class="source-counts"
          >${lastAgeS === null ? t('source.no_record') : t('source.last_record', { age: age(lastAgeS) })} ·
          ${number(source.records)}
          ${t('field.records')}${rejected > 0 ? html` · ${number(rejected)} ${t('field.rejected')}` : nothing}${
            source.restarts > 0 ? html` · ${number(source.restarts)} ${t('field.restarts')}` : nothing
          }</small
        >
        ${source.last_error === '' || !isDown ? nothing : html`<small class="source-error">${t('gateway.last_error', { error: source.last_error })}</small>`}
      </li>
    `;
  }
}

function pair(
  key:
    | 'field.buffered'
    | 'field.oldest'
    | 'field.clock'
    | 'field.clock_offset'
    | 'field.quarantined'
    | 'field.software'
    | 'field.started',
  value: TemplateResult,
  field: string,
): TemplateResult {
  return html`<div>
    <dt>${t(key)}</dt>
    <dd data-field=${field}>${value}</dd>
  </div>`;
}

function clockQuality(gateway: Gateway): string {
  const state = tData('clock', gateway.clock?.state ?? 'unsynced');
  const errorMs = gateway.clock?.error_ms ?? null;
  return errorMs === null ? state : `${state} ± ${quantity(errorMs, 'ms', 0)}`;
}

function bytes(size: number): string {
  if (size < 1_000_000) return quantity(size / 1000, 'kB', size < 10_000 ? 1 : 0);
  return quantity(size / 1_000_000, 'MB', 1);
}
customElements.define('pt-gateway-list', GatewayList);
