/**
 * What a gateway's balance means to an operator. Pure policy.
 *
 * Produced = received + still on the gateway + declared lost + missing; only what is missing calls, whatever the state
 * of the contact: a record that nobody has does not come back when the gateway does.
 */
import type { Gateway, GatewayBalance } from '../wire/frame.ts';

/** A declared loss calls for this long after it grew, s; afterwards it stands in the gateway's card. */
export const LOSS_CALLS_S = 3600;

const ALARMS: ReadonlySet<string> = new Set(['missing', 'vanished', 'went_back']);

export interface Loss {
  reason: string;
  records: number;
}

/** Whether somebody must act on the balance. */
export function isBalanceAlarm(balance: GatewayBalance): boolean {
  return ALARMS.has(balance.verdict);
}

/** Declared losses, the largest first. */
export function losses(balance: GatewayBalance | null | undefined): Loss[] {
  return Object.entries(balance?.declared ?? {})
    .map(([reason, records]) => ({ reason, records }))
    .sort((a, b) => b.records - a.records || a.reason.localeCompare(b.reason));
}

/** How many records were declared lost, if that grew within `LOSS_CALLS_S`; else 0. */
export function freshLoss(gateway: Gateway, nowMs: number | null): number {
  const at = timeOf(gateway.balance?.declared_at);
  if (at === null || nowMs === null || nowMs - at > LOSS_CALLS_S * 1000) return 0;
  return losses(gateway.balance).reduce((sum, loss) => sum + loss.records, 0);
}

/** A time of the wire, UTC ms, or null. */
export function timeOf(text: string | null | undefined): number | null {
  const at = text === null || text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(at) ? at : null;
}
