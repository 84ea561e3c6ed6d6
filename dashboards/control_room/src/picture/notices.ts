/**
 * What the operator must be told without asking, worst first. Pure policy: the picture and `now` in, notices out.
 *
 * Every notice names something to act on: a link, a gateway, its records, a source, a distress beacon. Priorities are those of IMO
 * A.1021(26); a value that is merely old is greyed where it stands and does not call.
 */
import type { LinkState } from '../wire/link_policy.ts';
import type { Gateway } from '../wire/frame.ts';
import type { MessageKey } from '../i18n/translate.ts';
import { freshLoss, isBalanceAlarm, timeOf } from './balance.ts';
import { GATEWAY_ONLINE_S, ageOf } from './staleness.ts';

export type Priority = 'alarm' | 'warning' | 'caution';

export interface Notice {
  id: string;
  priority: Priority;
  key: MessageKey;
  /** Values of the message; ages in `ageS`, so that the interface words them. */
  values: Record<string, string | number>;
  ageS?: number | null;
}

/** Data waiting this long on a gateway's disk means that the link or the cloud is not taking it, s. */
export const BACKLOG_S = 60;
/** A gateway's clock this far off makes its times doubtful, ms (as the rule GatewayClockSkew). */
export const CLOCK_OFFSET_MS = 500;

const RANK: Record<Priority, number> = { alarm: 0, warning: 1, caution: 2 };

export interface Watched {
  link: LinkState;
  lastFrameAtMs: number | null;
  nowMs: number | null;
  isChartMissing: boolean;
  isWarming: boolean;
  distressMmsis: readonly number[];
  gateways: Iterable<Gateway>;
}

export function currentNotices(watched: Watched): Notice[] {
  const notices: Notice[] = [];
  if (watched.link === 'lost') notices.push(linkNotice(watched));
  for (const mmsi of watched.distressMmsis) {
    notices.push({ id: `distress:${mmsi}`, priority: 'alarm', key: 'notice.distress', values: { mmsi } });
  }
  if (watched.isChartMissing) {
    notices.push({ id: 'chart', priority: 'caution', key: 'notice.chart_missing', values: {} });
  }
  // while nothing arrives, what is known of the gateways is as old as the link: one cause, one notice
  if (watched.link === 'live') {
    if (watched.isWarming)
      notices.push({ id: 'warming', priority: 'warning', key: 'notice.picture_warming', values: {} });
    for (const gateway of watched.gateways) notices.push(...gatewayNotices(gateway, watched.nowMs));
  }
  return notices.sort((a, b) => RANK[a.priority] - RANK[b.priority]);
}

/** Age of a gateway's last status, and whether it is online now. */
export function gatewayContact(gateway: Gateway, nowMs: number | null): { ageS: number | null; isOnline: boolean } {
  const ageS = ageOf(gateway.last_seen_at, nowMs);
  return { ageS, isOnline: gateway.is_online && ageS !== null && ageS < GATEWAY_ONLINE_S };
}

function linkNotice(watched: Watched): Notice {
  const since = watched.lastFrameAtMs;
  const ageS = since === null || watched.nowMs === null ? null : Math.max(0, (watched.nowMs - since) / 1000);
  return { id: 'link', priority: 'alarm', key: 'notice.link_lost', values: { since: since ?? '' }, ageS };
}

function gatewayNotices(gateway: Gateway, nowMs: number | null): Notice[] {
  const name = gateway.gateway;
  const { ageS, isOnline } = gatewayContact(gateway, nowMs);
  const found = balanceNotices(gateway, nowMs);
  if (!isOnline) {
    return [...found, notice(gateway, 'offline', 'warning', 'notice.gateway_offline', { gateway: name }, ageS)];
  }
  if (gateway.is_volatile === true) {
    found.push(notice(gateway, 'volatile', 'warning', 'notice.gateway_volatile', { gateway: name }));
  }
  const oldestS = gateway.oldest_unacknowledged_s;
  if (oldestS !== null && oldestS >= BACKLOG_S) {
    found.push(notice(gateway, 'backlog', 'warning', 'notice.gateway_backlog', { gateway: name }, oldestS));
  }
  if (gateway.quarantined_batches > 0) {
    const values = { gateway: name, n: gateway.quarantined_batches };
    found.push(notice(gateway, 'quarantine', 'caution', 'notice.gateway_quarantine', values));
  }
  const offsetMs = gateway.clock_offset_ms;
  if (offsetMs !== null && Math.abs(offsetMs) >= CLOCK_OFFSET_MS) {
    const values = { gateway: name, offset: Math.round(offsetMs) };
    found.push(notice(gateway, 'clock', 'caution', 'notice.gateway_clock', values));
  }
  for (const source of gateway.sources) {
    if (source.state !== 'backoff' && source.state !== 'stopped') continue;
    const values = { gateway: name, source: source.source, state: source.state };
    found.push(notice(gateway, `source:${source.source}`, 'caution', 'notice.source_down', values));
  }
  return found;
}

function balanceNotices(gateway: Gateway, nowMs: number | null): Notice[] {
  const found: Notice[] = [];
  const balance = gateway.balance;
  if (balance && isBalanceAlarm(balance)) {
    const values = { gateway: gateway.gateway, n: balance.missing, since: timeOf(balance.since) ?? '' };
    const key = balance.verdict === 'went_back' ? 'notice.records_went_back' : 'notice.records_missing';
    found.push(notice(gateway, 'balance', 'alarm', key, values));
  }
  const lost = freshLoss(gateway, nowMs);
  if (lost > 0) {
    const values = { gateway: gateway.gateway, n: lost };
    found.push(notice(gateway, 'declared', 'warning', 'notice.records_declared', values));
  }
  return found;
}

function notice(
  gateway: Gateway,
  what: string,
  priority: Priority,
  key: MessageKey,
  values: Record<string, string | number>,
  ageS?: number | null,
): Notice {
  const base = { id: `${gateway.id}:${what}`, priority, key, values };
  return ageS === undefined ? base : { ...base, ageS };
}
