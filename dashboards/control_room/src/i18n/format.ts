/** Numbers, times, ages and positions as the operator's language writes them. 24 h, decimal comma in Spanish. */
import { type Language, language } from './translate.ts';

export const UNKNOWN = '–';

const LOCALES: Record<Language, string> = { es: 'es-ES', en: 'en-GB' };
const numbers = new Map<string, Intl.NumberFormat>();
const clocks = new Map<string, Intl.DateTimeFormat>();

/** A number with fixed decimals, or a dash. */
export function number(value: number | null | undefined, decimals = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const key = `${language.value}:${decimals}`;
  let format = numbers.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(LOCALES[language.value], {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    numbers.set(key, format);
  }
  return format.format(value);
}

/** A number with its unit, or a dash alone. */
export function quantity(value: number | null | undefined, unit: string, decimals = 0): string {
  const text = number(value, decimals);
  return text === UNKNOWN ? text : `${text}\u00a0${unit}`;
}

/** Degrees in three figures, as a course is read. */
export function course(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : `${String(Math.round(value) % 360).padStart(3, '0')}°`;
}

/** An age: seconds to 99 s, then minutes, hours, days. */
export function age(seconds: number | null): string {
  if (seconds === null) return UNKNOWN;
  if (seconds < 100) return `${Math.floor(seconds)}\u00a0s`;
  if (seconds < 100 * 60) return `${Math.floor(seconds / 60)}\u00a0min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}\u00a0h`;
  return `${Math.floor(seconds / 86_400)}\u00a0d`;
}

/** Hours, minutes and seconds in a time zone. */
export function clock(utcMs: number | null, timeZone: string): string {
  if (utcMs === null) return '--:--:--';
  return format(timeZone, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(utcMs);
}

/** Day, month and year in a time zone. */
export function day(utcMs: number | null, timeZone: string): string {
  if (utcMs === null) return '--/--/----';
  return format(timeZone, { day: '2-digit', month: '2-digit', year: 'numeric' }).format(utcMs);
}

/** Degrees and minutes to a thousandth (1.9 m), as charts are marked. */
export function latitude(deg: number): string {
  return degreesMinutes(Math.abs(deg), 2, deg < 0 ? 'S' : 'N');
}

/** West is `W` in both languages, so that it cannot be read as `0`. */
export function longitude(deg: number): string {
  return degreesMinutes(Math.abs(deg), 3, deg < 0 ? 'W' : 'E');
}

function degreesMinutes(deg: number, width: number, hemisphere: string): string {
  const thousandths = Math.round(deg * 60_000);
  const whole = String(Math.floor(thousandths / 60_000)).padStart(width, '0');
  const minutes = (thousandths % 60_000) / 1000;
  return `${whole}°\u00a0${minutes < 10 ? '0' : ''}${number(minutes, 3)}′\u00a0${hemisphere}`;
}

function format(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.value}:${timeZone}:${options.hour ?? 'day'}`;
  let made = clocks.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(LOCALES[language.value], { ...options, timeZone });
    clocks.set(key, made);
  }
  return made;
}
