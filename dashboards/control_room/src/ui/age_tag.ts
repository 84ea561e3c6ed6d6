/** How old a value is, said the same way everywhere: the age, and the word for it when it is too old. */
import { type TemplateResult, html } from 'lit';
import { age } from '../i18n/format.ts';
import { t } from '../i18n/translate.ts';

export function ageTag(ageS: number | null, isStale: boolean): TemplateResult {
  const text = ageS === null ? t('age.unknown') : t('age.label', { age: age(ageS) });
  return html`<span class="age ${isStale ? 'is-stale' : ''}" data-state=${isStale ? 'stale' : 'fresh'}
    >${isStale ? html`<span class="stale-mark">${t('freshness.stale')}</span> ` : ''}${text}</span
  >`;
}
