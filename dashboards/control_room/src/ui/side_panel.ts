/** The left panel: one tab a list. Tabs follow the WAI-ARIA pattern: arrows move, the chosen one is in the tab order. */
import { type TemplateResult, html } from 'lit';
import { type MessageKey, t } from '../i18n/translate.ts';
import { craneViews } from '../picture/cranes.ts';
import { type Desk, TABS, type Tab } from './desk.ts';
import { SignalElement } from './signal_element.ts';
import './crane_list.ts';
import './gateway_list.ts';
import './sensor_list.ts';
import './ship_list.ts';

export class SidePanel extends SignalElement {
  static override properties = { desk: { attribute: false } };
  declare desk: Desk;

  protected override render(): TemplateResult {
    const chosen = this.desk.tab.value;
    return html`
      <div class="tabs" role="tablist" aria-label=${t('tab.label')} @keydown=${this.onKey}>
        ${TABS.map(
          (tab) =>
            html`<button
              type="button"
              role="tab"
              id=${`tab-${tab}`}
              data-testid=${`tab-${tab}`}
              aria-controls="panel"
              aria-selected=${String(tab === chosen)}
              tabindex=${tab === chosen ? 0 : -1}
              @click=${() => (this.desk.tab.value = tab)}
            >
              ${t(`tab.${tab}` as MessageKey)}<small>${this.count(tab)}</small>
            </button>`,
        )}
      </div>
      <div class="panel" id="panel" role="tabpanel" aria-labelledby=${`tab-${chosen}`}>
        ${TABS.map((tab) => html`<div class="panel-page" tabindex=${tab === 'ships' ? -1 : 0} ?hidden=${tab !== chosen}>${this.renderPage(tab)}</div>`)}
      </div>
    `;
  }

  /** All pages stay in the document, so that a value can be found whatever tab is in front. */
  private renderPage(tab: Tab): TemplateResult {
    switch (tab) {
      case 'ships':
        return html`<pt-ship-list .desk=${this.desk}></pt-ship-list>`;
      case 'cranes':
        return html`<pt-crane-list .desk=${this.desk}></pt-crane-list>`;
      case 'sensors':
        return html`<pt-sensor-list .desk=${this.desk}></pt-sensor-list>`;
      case 'gateways':
        return html`<pt-gateway-list .desk=${this.desk}></pt-gateway-list>`;
    }
  }

  private count(tab: Tab): number {
    const { picture } = this.desk;
    switch (tab) {
      case 'ships':
        this.desk.picture.revision.value;
        return picture.targets.count;
      case 'cranes':
        return craneViews(this.desk.chart.value, picture.sensors.value.values()).length;
      case 'sensors':
        return [...picture.sensors.value.values()].filter((sensor) => sensor.kind !== 'crane_sample').length;
      case 'gateways':
        return picture.gateways.value.size;
    }
  }

  private onKey = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(this.desk.tab.value) + step + TABS.length) % TABS.length]!;
    this.desk.tab.value = next;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`#tab-${next}`)?.focus());
  };
}
customElements.define('pt-side-panel', SidePanel);
