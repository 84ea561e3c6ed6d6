import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import en from '../../src/i18n/en.json' with { type: 'json' };
import es from '../../src/i18n/es.json' with { type: 'json' };
import { age, clock, course, day, latitude, longitude, number, quantity } from '../../src/i18n/format.ts';
import { language, plural, t, tData } from '../../src/i18n/translate.ts';

afterEach(() => {
  language.value = 'es';
});

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();

test('both languages have the same keys, none empty', () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(es).sort());
  for (const text of [...Object.values(es), ...Object.values(en)]) assert.notEqual(text.trim(), '');
});

test('both languages have the same placeholders', () => {
  for (const [key, text] of Object.entries(es)) {
    assert.deepEqual(placeholders(en[key as keyof typeof en]), placeholders(text), key);
  }
});

test('no key is dead: each is named in the source, whole or by its prefix', () => {
  const root = new URL('../../src/', import.meta.url);
  const files = (readdirSync(root, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));
  const source = files.map((name) => readFileSync(new URL(name, root), 'utf8')).join('\n');
  const dead = Object.keys(es).filter((key) => {
    const prefix = key.slice(0, key.lastIndexOf('.'));
    return !(source.includes(`'${key}'`) || source.includes(`'${prefix}'`) || source.includes(`\`${prefix}.\${`));
  });
  assert.deepEqual(dead, []);
});

test('numbers follow the language', () => {
  assert.equal(number(12345.678, 1), '12.345,7');
  assert.equal(quantity(0.5, 'm/s', 1), '0,5\u00a0m/s');
  assert.equal(quantity(null, 'm'), '–');
  assert.equal(number(Number.NaN), '–');
  language.value = 'en';
  assert.equal(number(12345.678, 1), '12,345.7');
});

test('ages are read at a glance', () => {
  assert.deepEqual(
    [0, 99.9, 100, 5999, 6000, 172_800].map((s) => age(s)),
    ['0\u00a0s', '99\u00a0s', '1\u00a0min', '99\u00a0min', '1\u00a0h', '2\u00a0d'],
  );
  assert.equal(age(null), '–');
});

test('positions are degrees and minutes, and never 60 minutes', () => {
  assert.equal(latitude(39.6432101), '39°\u00a038,593′\u00a0N');
  assert.equal(longitude(-0.3123456), '000°\u00a018,741′\u00a0W');
  assert.equal(latitude(-9.9999999), '10°\u00a000,000′\u00a0S');
});

test('courses have three figures', () => {
  assert.deepEqual(
    [0, 7.4, 359.7, null].map((deg) => course(deg)),
    ['000°', '007°', '000°', '–'],
  );
});

test('times are 24 h, in the port’s zone and in UTC', () => {
  const at = Date.parse('2026-11-24T23:30:05Z');
  assert.equal(clock(at, 'Europe/Madrid'), '00:30:05');
  assert.equal(clock(at, 'UTC'), '23:30:05');
  assert.equal(day(at, 'Europe/Madrid'), '25/11/2026');
  assert.equal(clock(null, 'UTC'), '--:--:--');
});

test('texts take values, plurals and data without a word', () => {
  assert.equal(t('inspector.close'), 'Cerrar ficha');
  assert.equal(plural('notice.count', 1, '1'), '1 aviso');
  assert.equal(plural('notice.count', 3, '3'), '3 avisos');
  assert.equal(tData('status', 5), 'Atracado');
  assert.equal(tData('sensor', 'sonar'), 'sonar');
});
