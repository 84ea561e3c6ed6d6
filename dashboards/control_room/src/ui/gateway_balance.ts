/** The balance of a gateway in its card: whole, or what is missing since when; what it gave up, and why. */
import { type TemplateResult, html, nothing } from 'lit';
import { age, clock, day, number } from '../i18n/format.ts';
import { plural, t, tData } from '../i18n/translate.ts';
import { isBalanceAlarm, losses, timeOf } from '../picture/balance.ts';
import type { Gateway, GatewayBalance } from '../wire/frame.ts';
import { PRIORITY } from './icons.ts';

/** Reasons named; the rest are in `GET /api/v1/accounting`. */
const MAX_REASONS = 6;

/** Rows for the card's list of pairs. */
export function renderBalance(gateway: Gateway, timeZone: string): TemplateResult {
  const balance = gateway.balance ?? null;
  const lost = losses(balance);
  const shown = lost.slice(0, MAX_REASONS);
  return html`
    <div>
      <dt>${t('field.balance')}</dt>
      <dd data-field="balance" data-verdict=${balance?.verdict ?? 'unknown'}>${renderVerdict(balance, timeZone)}</dd>
    </div>
    ${
      lost.length === 0
        ? nothing
        : html`<div>
            <dt>${t('field.declared')}</dt>
            <dd data-field="declared">
              ${shown.map((loss) => html`<span class="line">${number(loss.records)} · ${tData('loss', loss.reason)}</span>`)}
              ${lost.length > shown.length ? html`<span class="line">…</span>` : nothing}
            </dd>
          </div>`
    }
    ${renderKeptElsewhere(balance)} ${renderStorage(gateway)}
  `;
}

function renderKeptElsewhere(balance: GatewayBalance | null): TemplateResult | typeof nothing {
  const records = balance?.kept_elsewhere ?? 0;
  if (records === 0) return nothing;
  return html`<div>
    <dt>${t('field.kept_elsewhere')}</dt>
    <dd data-field="kept_elsewhere">${number(records)}</dd>
  </div>`;
}

function renderVerdict(balance: GatewayBalance | null, timeZone: string): TemplateResult {
  if (balance === null) return html`${t('verdict.unknown')}`;
  if (!isBalanceAlarm(balance)) return html`${tData('verdict', balance.verdict)}`;
  const since = timeOf(balance.since);
  const time = since === null ? '' : t('gateway.since', { time: `${day(since, timeZone)} ${clock(since, timeZone)}` });
  const what =
    balance.missing > 0
      ? plural('gateway.missing', balance.missing, number(balance.missing))
      : tData('verdict', balance.verdict);
  return html`<span class="chip priority-alarm">${PRIORITY.alarm} ${what}</span> ${time}`;
}

function renderStorage(gateway: Gateway): TemplateResult {
  const headroomS = gateway.headroom_s ?? null;
  return html`
    ${
      headroomS === null
        ? nothing
        : html`<div>
            <dt>${t('field.headroom')}</dt>
            <dd data-field="headroom_s">${age(headroomS)}</dd>
          </div>`
    }
    ${
      gateway.is_volatile === true
        ? html`<div>
            <dt>${t('field.storage')}</dt>
            <dd data-field="is_volatile">
              <span class="chip priority-warning">${PRIORITY.warning} ${t('gateway.volatile')}</span>
            </dd>
          </div>`
        : nothing
    }
  `;
}
