/** Under the top bar, never covered: the worst notice in full, the others by count, all of them on demand. */
import { type TemplateResult, html, nothing } from 'lit';
import { age, clock, number } from '../i18n/format.ts';
import { plural, t, tData } from '../i18n/translate.ts';
import type { Notice } from '../picture/notices.ts';
import type { Desk } from './desk.ts';
import { DOWN, PRIORITY, UP } from './icons.ts';
import { SignalElement } from './signal_element.ts';

/** Most notices listed; the rest are counted. */
const MAX_LISTED = 12;

export class NoticeBar extends SignalElement {
  static override properties = { desk: { attribute: false }, isOpen: { state: true } };
  declare desk: Desk;
  declare isOpen: boolean;

  constructor() {
    super();
    this.isOpen = false;
  }

  protected override render(): TemplateResult {
    const notices = this.desk.notices.value;
    const worst = notices[0];
    return html`
      <section
        class="notice-bar"
        aria-label=${t('notice.bar')}
        data-testid="notices"
        data-count=${notices.length}
        data-priority=${worst?.priority ?? 'none'}
      >
        <div class="notice-line" role="status" aria-live=${worst?.priority === 'alarm' ? 'assertive' : 'polite'}>
          ${worst === undefined ? html`<span class="notice-none">${t('notice.none')}</span>` : this.renderNotice(worst)}
        </div>
        ${notices.length > 1 ? this.renderMore(notices) : nothing}
        <span class="not-for-navigation">${t('app.not_for_navigation')}</span>
      </section>
    `;
  }

  private renderMore(notices: Notice[]): TemplateResult {
    const listed = notices.slice(1, 1 + MAX_LISTED);
    const beyond = notices.length - 1 - listed.length;
    return html`
      <button
        type="button"
        class="notice-toggle"
        aria-expanded=${String(this.isOpen)}
        aria-label=${t('notice.show_all')}
        @click=${() => (this.isOpen = !this.isOpen)}
      >
        ${plural('notice.count', notices.length, number(notices.length))} ${this.isOpen ? UP : DOWN}
      </button>
      ${
        this.isOpen
          ? html`<ul class="notice-list">
              ${listed.map((notice) => html`<li>${this.renderNotice(notice)}</li>`)}
              ${beyond > 0 ? html`<li class="notice-none">${t('notice.more', { n: beyond })}</li>` : nothing}
            </ul>`
          : nothing
      }
    `;
  }

  private renderNotice(notice: Notice): TemplateResult {
    return html`
      <span class="notice priority-${notice.priority}" data-notice=${notice.id}>
        <span class="notice-badge">${PRIORITY[notice.priority]} ${t(`notice.priority.${notice.priority}`)}</span>
        <span class="notice-text">${this.wording(notice)}</span>
      </span>
    `;
  }

  private wording(notice: Notice): TemplateResult {
    const ageText = age(notice.ageS ?? null);
    if (notice.id === 'link') {
      const since = notice.values['since'];
      const detail =
        typeof since === 'number'
          ? t('notice.link_lost_since', { time: clock(since, this.desk.timeZone()), age: ageText })
          : t('notice.link_never');
      return html`<strong>${t(notice.key)}</strong> ${detail}`;
    }
    const { state, since } = notice.values;
    const values = {
      ...notice.values,
      ...(typeof since === 'number' ? { since: clock(since, this.desk.timeZone()) } : {}),
      age: ageText,
      ...(state === undefined ? {} : { state: tData('source', state) }),
    };
    return html`${t(notice.key, values)}`;
  }
}
customElements.define('pt-notice-bar', NoticeBar);
