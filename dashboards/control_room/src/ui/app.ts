/** The page: bars on top, lists on the left, the chart, the inspector over its right edge. */
import { type TemplateResult, html } from 'lit';
import { t } from '../i18n/translate.ts';
import type { Desk } from './desk.ts';
import type { MapView } from './map_view.ts';
import { SignalElement } from './signal_element.ts';
import './inspector.ts';
import './map_view.ts';
import './notice_bar.ts';
import './side_panel.ts';
import './top_bar.ts';

export class App extends SignalElement {
  static override properties = { desk: { attribute: false } };
  declare desk: Desk | undefined;

  protected override render(): TemplateResult {
    const { desk } = this;
    if (desk === undefined) return html``;
    return html`
      <a class="skip" href="#panel" @click=${this.skip}>${t('app.skip_to_list')}</a>
      <pt-top-bar .desk=${desk}></pt-top-bar>
      <pt-notice-bar .desk=${desk}></pt-notice-bar>
      <main
        class="desk ${desk.selectedMmsi.value === null ? '' : 'has-inspector'}"
        data-link=${desk.link.value.state}
        @pt-centre=${this.centre}
      >
        <pt-side-panel .desk=${desk}></pt-side-panel>
        <pt-map-view .desk=${desk}></pt-map-view>
        <pt-inspector .desk=${desk}></pt-inspector>
      </main>
    `;
  }

  private centre = (event: CustomEvent<number>): void => {
    this.querySelector<MapView>('pt-map-view')?.centreOn(event.detail);
  };

  private skip = (event: Event): void => {
    event.preventDefault();
    if (this.desk !== undefined) this.desk.tab.value = 'ships';
    this.querySelector<HTMLElement>('.ship-row')?.focus();
  };
}
customElements.define('pt-app', App);
