/** The ships as a list: search, filter, sort; the canvas's mirror for keyboard and screen reader. */
import { type TemplateResult, html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { age, course, number } from '../i18n/format.ts';
import { type MessageKey, t, tData } from '../i18n/translate.ts';
import { type ShipList, type ShipQuery, type ShipRow, type SortColumn, listShips } from '../picture/ship_query.ts';
import { STATION_KEYS, Station } from '../picture/target_bits.ts';
import type { Desk } from './desk.ts';
import { DOWN, SEARCH, UP, shipGlyph } from './icons.ts';
import { SignalElement } from './signal_element.ts';

const COLUMNS: readonly SortColumn[] = ['name', 'sog', 'cog', 'age'];

export class ShipListView extends SignalElement {
  static override properties = { desk: { attribute: false }, query: { state: true } };
  declare desk: Desk;
  declare query: ShipQuery;

  constructor() {
    super();
    this.query = { text: '', isMovingOnly: false, sort: 'name', isDescending: false };
  }

  protected override render(): TemplateResult {
    const { desk, query } = this;
    // once a second is as often as a list can be read; targets change up to five times as often
    const nowMs = desk.secondMs.value;
    const ships = listShips(desk.picture.targets, desk.picture.statics, query, nowMs ?? 0);
    const isEmpty = ships.rows.length === 0;
    // keyed, so that the keyboard's focus stays on its ship when the order changes
    return html`
      <div class="list-tools">${this.renderSearch()} ${this.renderFilter()}</div>
      <div class="rows">
        <div class="ship-head">${COLUMNS.map((column) => this.renderHead(column))}</div>
        <div role="listbox" aria-label=${t('ships.list')} @keydown=${this.onKey}>
          ${repeat(ships.rows, (row) => row.mmsi, (row, index) => this.renderRow(row, index))}
        </div>
        ${isEmpty ? html`<p class="empty">${t(ships.total === 0 ? 'ships.none' : 'ships.no_match')}</p>` : nothing}
      </div>
      ${this.renderCount(ships)}
    `;
  }

  private renderSearch(): TemplateResult {
    return html`<label class="search"
      >${SEARCH}<input
        type="search"
        data-testid="ship-search"
        .value=${this.query.text}
        placeholder=${t('ships.search')}
        aria-label=${t('ships.search')}
        @input=${(event: InputEvent) => this.change({ text: (event.target as HTMLInputElement).value })}
    /></label>`;
  }

  private renderFilter(): TemplateResult {
    const choice = (isMovingOnly: boolean, name: string): TemplateResult =>
      html`<button
        type="button"
        aria-pressed=${String(this.query.isMovingOnly === isMovingOnly)}
        @click=${() => this.change({ isMovingOnly })}
      >
        ${name}
      </button>`;
    return html`<div class="segmented" role="group" aria-label=${t('ships.filter')}>
      ${choice(false, t('ships.all'))} ${choice(true, t('ships.moving'))}
    </div>`;
  }

  private renderCount(ships: ShipList): TemplateResult {
    const isCapped = ships.rows.length < ships.matching;
    const values = { shown: number(ships.rows.length), total: number(isCapped ? ships.matching : ships.total) };
    return html`<div class="list-foot" data-testid="ship-count" data-total=${ships.total}>
      ${t(isCapped ? 'ships.capped' : 'ships.shown', values)}
    </div>`;
  }

  private renderHead(column: SortColumn): TemplateResult {
    const name = t(`ships.${column}` as MessageKey);
    const isSorted = this.query.sort === column;
    const direction = !isSorted ? 'none' : this.query.isDescending ? 'descending' : 'ascending';
    return html`<button
      type="button"
      class="head-${column}"
      data-sort=${direction}
      aria-label=${t('ships.sort_by', { column: name })}
      @click=${() => this.sortBy(column)}
    >
      ${name}${isSorted ? (this.query.isDescending ? DOWN : UP) : nothing}
    </button>`;
  }

  private renderRow(row: ShipRow, index: number): TemplateResult {
    const selected = this.desk.selectedMmsi.value;
    const isSelected = row.mmsi === selected;
    const isMoving = row.sogKn !== null && row.sogKn >= 0.5;
    const direction = row.headingDeg ?? (isMoving ? row.cogDeg : null);
    return html`
      <div
        class="ship-row is-${row.freshness}"
        role="option"
        aria-selected=${String(isSelected)}
        tabindex=${isSelected || (selected === null && index === 0) ? 0 : -1}
        data-testid="ship-row"
        data-mmsi=${row.mmsi}
        data-lon=${row.lonDeg}
        data-lat=${row.latDeg}
        data-freshness=${row.freshness}
        @click=${() => this.select(row.mmsi)}
        @dblclick=${() => this.centre(row.mmsi)}
      >
        ${shipGlyph(row.freshness, isMoving, direction)}
        <span class="ship-name"><b>${row.name ?? row.mmsi}</b><small>${this.describe(row)}</small></span>
        <span class="num">${number(row.sogKn, 1)}</span>
        <span class="num">${course(isMoving ? row.cogDeg : null)}</span>
        <span class="num age">${age(row.ageS)}</span>
      </div>
    `;
  }

  private describe(row: ShipRow): string {
    const isVessel = row.station === Station.classA || row.station === Station.classB;
    const what =
      !isVessel || row.navStatus === 15 ? tData('station', STATION_KEYS[row.station]!) : tData('status', row.navStatus);
    return row.freshness === 'fresh' ? what : `${t(`freshness.${row.freshness}`).toUpperCase()} · ${what}`;
  }

  private change(part: Partial<ShipQuery>): void {
    this.query = { ...this.query, ...part };
  }

  private sortBy(column: SortColumn): void {
    this.change({
      sort: column,
      isDescending: this.query.sort === column ? !this.query.isDescending : column === 'sog',
    });
  }

  private select(mmsi: number): void {
    this.desk.selectedMmsi.value = mmsi;
  }

  private centre(mmsi: number): void {
    this.select(mmsi);
    this.dispatchEvent(new CustomEvent('pt-centre', { bubbles: true, detail: mmsi }));
  }

  private onKey = (event: KeyboardEvent): void => {
    const rows = [...this.querySelectorAll<HTMLElement>('.ship-row')];
    const at = rows.indexOf(event.target as HTMLElement);
    if (at === -1) return;
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: at + 10,
      PageUp: at - 10,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const row = rows[Math.min(rows.length - 1, Math.max(0, to))]!;
      this.select(Number(row.dataset['mmsi']));
      row.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.centre(Number(rows[at]!.dataset['mmsi']));
    } else if (event.key === 'Escape') {
      this.desk.selectedMmsi.value = null;
    }
  };
}
customElements.define('pt-ship-list', ShipListView);
