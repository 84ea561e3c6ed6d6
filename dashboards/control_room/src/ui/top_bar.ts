/** The bar on top: where, when, whether the data is live, and how it is shown. */
import { type TemplateResult, html } from 'lit';
import { clock, day } from '../i18n/format.ts';
import { type MessageKey, language, t } from '../i18n/translate.ts';
import { type Desk, PALETTES } from './desk.ts';
import { LAMP } from './icons.ts';
import { SignalElement } from './signal_element.ts';

export class TopBar extends SignalElement {
  static override properties = { desk: { attribute: false } };
  declare desk: Desk;

  protected override render(): TemplateResult {
    const { desk } = this;
    const site = desk.chart.value?.names[language.value] ?? 'PortTrack';
    return html`
      <header class="top-bar">
        <div class="brand"><span class="brand-mark" aria-hidden="true"></span><strong>PortTrack</strong></div>
        <h1 class="site-name">${site}</h1>
        ${this.renderClocks()} ${this.renderLamp()}
        <div class="choices">${this.renderPalettes()} ${this.renderLanguages()}</div>
      </header>
    `;
  }

  private renderClocks(): TemplateResult {
    const now = this.desk.nowMs.value;
    const zone = this.desk.timeZone();
    return html`
      <div class="clocks">
        <span class="clock-day">${day(now, zone)}</span>
        <span class="clock" data-testid="clock-local"
          ><b>${clock(now, zone)}</b> <small>${t('bar.local_time')}</small></span
        >
        <span class="clock utc" data-testid="clock-utc"
          ><b>${clock(now, 'UTC')}</b> <small>${t('bar.utc')}</small></span
        >
      </div>
    `;
  }

  private renderLamp(): TemplateResult {
    const { state } = this.desk.link.value;
    return html`
      <div class="lamp" data-testid="connection" data-state=${state} role="status">
        ${LAMP[state]}<span>${t(`link.${state}`)}</span>
      </div>
    `;
  }

  private renderPalettes(): TemplateResult {
    const chosen = this.desk.palette.value;
    return html`
      <div class="segmented" role="group" aria-label=${t('bar.palette')}>
        ${PALETTES.map(
          (name) =>
            html`<button
              type="button"
              data-testid=${`palette-${name}`}
              aria-pressed=${String(name === chosen)}
              @click=${() => this.desk.choosePalette(name)}
            >
              ${t(`palette.${name}` as MessageKey)}
            </button>`,
        )}
      </div>
    `;
  }

  private renderLanguages(): TemplateResult {
    return html`
      <div class="segmented" role="group" aria-label=${t('bar.language')}>
        ${(['es', 'en'] as const).map(
          (name) =>
            html`<button
              type="button"
              data-testid=${`language-${name}`}
              lang=${name}
              aria-label=${name === 'es' ? 'Español' : 'English'}
              aria-pressed=${String(name === language.value)}
              @click=${() => this.desk.chooseLanguage(name)}
            >
              ${name.toUpperCase()}
            </button>`,
        )}
      </div>
    `;
  }
}
customElements.define('pt-top-bar', TopBar);
