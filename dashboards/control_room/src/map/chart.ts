/** The site's chart as `GET /api/v1/site` answers it. Source: docs/chart.md. */

export interface ChartFeature {
  type: 'Feature';
  properties: { kind: string; id: string; name_es: string; name_en: string; [key: string]: unknown };
  geometry: { type: string; coordinates: unknown };
}

interface ChartCollection {
  type: 'FeatureCollection';
  features: ChartFeature[];
  site?: string;
  name_es?: string;
  name_en?: string;
  bounds?: [number, number, number, number];
  time_zone?: string;
}

export class Chart {
  readonly site: string;
  readonly names: { es: string; en: string };
  /** West, south, east, north, degrees; null where the site does not say. */
  readonly bounds: readonly [number, number, number, number] | null;
  readonly timeZone: string;
  private readonly byKind = new Map<string, ChartFeature[]>();

  /** @throws Error the document is not a chart. */
  constructor(readonly document: ChartCollection) {
    if (document.type !== 'FeatureCollection' || !Array.isArray(document.features)) throw new Error('not a chart');
    this.site = document.site ?? '';
    this.names = { es: document.name_es ?? this.site, en: document.name_en ?? this.site };
    this.bounds = document.bounds ?? null;
    this.timeZone = isTimeZone(document.time_zone) ? document.time_zone : 'UTC';
    for (const feature of document.features) {
      const known = this.byKind.get(feature.properties.kind);
      if (known === undefined) this.byKind.set(feature.properties.kind, [feature]);
      else known.push(feature);
    }
  }

  ofKind(kind: string): readonly ChartFeature[] {
    return this.byKind.get(kind) ?? [];
  }

  /** Name of a feature in a language, or the id itself if the chart does not have it. */
  nameOf(id: string, language: 'es' | 'en'): string {
    const feature = this.document.features.find((candidate) => candidate.properties.id === id);
    return feature === undefined ? id : nameIn(feature, language);
  }
}

export function nameIn(feature: ChartFeature, language: 'es' | 'en'): string {
  return language === 'es' ? feature.properties.name_es : feature.properties.name_en;
}

function isTimeZone(name: string | undefined): name is string {
  if (name === undefined) return false;
  try {
    new Intl.DateTimeFormat('es', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Longest wait for the chart, ms; it comes from the same host as the page. */
const TIMEOUT_MS = 10_000;

/** @throws Error the server does not answer, or not with a chart. */
export async function fetchChart(): Promise<Chart> {
  const response = await fetch('/api/v1/site', { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`chart: HTTP ${response.status}`);
  return new Chart((await response.json()) as ChartCollection);
}
