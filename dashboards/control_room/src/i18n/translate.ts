/**
 * The interface's words: flat keys, Spanish first. The key type is taken from the Spanish file, so that a missing key
 * does not compile; tests/i18n holds both files to the same keys and placeholders.
 */
import { signal } from '@preact/signals-core';
import en from './en.json' with { type: 'json' };
import es from './es.json' with { type: 'json' };

export type Language = 'es' | 'en';
export type MessageKey = keyof typeof es;
/** A key with forms by number: `notice.count` for `notice.count.one` and `notice.count.other`. */
export type PluralKey = MessageKey extends infer K ? (K extends `${infer Stem}.other` ? Stem : never) : never;

const MESSAGES: Record<Language, Record<MessageKey, string>> = { es, en };
const PLURALS = { es: new Intl.PluralRules('es'), en: new Intl.PluralRules('en') };

/** The language in force; reading it in a component makes the component follow it. */
export const language = signal<Language>('es');

/** Text of a key, `{name}` replaced by values. */
export function t(key: MessageKey, values: Readonly<Record<string, string | number>> = {}): string {
  return MESSAGES[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Text of a key in the form that a number asks for. */
export function plural(key: PluralKey, n: number, shown: string): string {
  const form = PLURALS[language.value].select(n) === 'one' ? 'one' : 'other';
  return t(`${key}.${form}` as MessageKey, { n: shown });
}

/** Text of a key that is made of data (a status, a kind): the data itself where it has no word. */
export function tData(prefix: string, value: string | number): string {
  const key = `${prefix}.${value}`;
  return key in es ? t(key as MessageKey) : String(value);
}
