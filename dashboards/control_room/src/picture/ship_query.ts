/**
 * The list of ships: search, filter, sort and cap over the whole picture. Pure; runs once a second, so it sorts slot
 * numbers and makes objects only for the rows that are shown.
 */
import type { StaticData } from '../wire/frame.ts';
import { NOT_AVAILABLE_U16 } from '../wire/frame.ts';
import { type Freshness, freshness } from './staleness.ts';
import type { Target, TargetTable } from './target_table.ts';

export type SortColumn = 'name' | 'sog' | 'cog' | 'age';

export interface ShipQuery {
  text: string;
  isMovingOnly: boolean;
  sort: SortColumn;
  isDescending: boolean;
}

export interface ShipRow extends Target {
  name: string | null;
  ageS: number;
  freshness: Freshness;
}

export interface ShipList {
  rows: ShipRow[];
  /** Targets that match, shown or not. */
  matching: number;
  total: number;
}

/** Most rows in the page: some 6 screens; a longer list is not read, it is searched. */
export const MAX_ROWS = 200;
const MOVING_TENTHS_KN = 5;
const COLLATOR = new Intl.Collator('es', { numeric: true, sensitivity: 'base' });

export function listShips(
  table: TargetTable,
  statics: ReadonlyMap<number, StaticData>,
  query: ShipQuery,
  nowMs: number,
  limit = MAX_ROWS,
): ShipList {
  const needle = folded(query.text.trim());
  const slots: number[] = [];
  for (let slot = 0; slot < table.count; slot += 1) {
    const sog = table.sog[slot]!;
    if (query.isMovingOnly && (sog === NOT_AVAILABLE_U16 || sog < MOVING_TENTHS_KN)) continue;
    if (needle !== '' && !matches(table.mmsi[slot]!, statics.get(table.mmsi[slot]!), needle)) continue;
    slots.push(slot);
  }
  slots.sort(comparison(table, statics, query));
  const rows = slots.slice(0, limit).map((slot): ShipRow => {
    const target = table.at(slot);
    const ageS = Math.max(0, (nowMs - target.observedMs) / 1000);
    const name = statics.get(target.mmsi)?.name ?? null;
    return { ...target, name, ageS, freshness: freshness(ageS, target.staleAfterS) };
  });
  return { rows, matching: slots.length, total: table.count };
}

/** Lower case without accents: an operator types "penas" and means "PEÑAS". */
export function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase();
}

function matches(mmsi: number, data: StaticData | undefined, needle: string): boolean {
  if (String(mmsi).includes(needle)) return true;
  if (data === undefined) return false;
  return folded(data.name ?? '').includes(needle) || folded(data.callsign ?? '').includes(needle);
}

function comparison(
  table: TargetTable,
  statics: ReadonlyMap<number, StaticData>,
  query: ShipQuery,
): (a: number, b: number) => number {
  const sign = query.isDescending ? -1 : 1;
  const tie = (a: number, b: number): number => table.mmsi[a]! - table.mmsi[b]!;
  const byColumn =
    (column: Uint16Array) =>
    (a: number, b: number): number => {
      const left = column[a]!;
      const right = column[b]!;
      // unknown values last, whichever way the list is sorted
      if (left === NOT_AVAILABLE_U16 || right === NOT_AVAILABLE_U16) return left === right ? tie(a, b) : left - right;
      return sign * (left - right) || tie(a, b);
    };
  switch (query.sort) {
    case 'sog':
      return byColumn(table.sog);
    case 'cog':
      return byColumn(table.cog);
    case 'age':
      return (a, b) => sign * (table.observedMs[b]! - table.observedMs[a]!) || tie(a, b);
    case 'name':
      return byName(table, statics, sign, tie);
  }
}

function byName(
  table: TargetTable,
  statics: ReadonlyMap<number, StaticData>,
  sign: number,
  tie: (a: number, b: number) => number,
): (a: number, b: number) => number {
  const nameOf = (slot: number): string | undefined => statics.get(table.mmsi[slot]!)?.name;
  return (a, b) => {
    const left = nameOf(a);
    const right = nameOf(b);
    if (left === undefined || right === undefined) {
      if (left === right) return tie(a, b);
      return left === undefined ? 1 : -1;
    }
    return sign * COLLATOR.compare(left, right) || tie(a, b);
  };
}
