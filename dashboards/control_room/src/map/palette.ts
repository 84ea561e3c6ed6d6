/** The map's colours, read from the CSS tokens, so that interface and canvas change together. */

const TOKENS = {
  deep: '--map-deep',
  mid: '--map-mid',
  shallow: '--map-shallow',
  land: '--map-land',
  landEdge: '--map-land-edge',
  breakwater: '--map-breakwater',
  quay: '--map-quay',
  fairway: '--map-fairway',
  anchorage: '--map-anchorage',
  restricted: '--map-restricted',
  berth: '--map-berth',
  berthEdge: '--map-berth-edge',
  label: '--map-label',
  halo: '--map-halo',
  ship: '--map-ship',
  shipEdge: '--map-ship-edge',
  rest: '--map-rest',
  stale: '--map-stale',
  vector: '--map-vector',
  select: '--map-select',
  crane: '--map-crane',
  load: '--map-load',
  buoyRed: '--map-buoy-red',
  buoyGreen: '--map-buoy-green',
  buoyYellow: '--map-buoy-yellow',
  alarm: '--alarm',
} as const;

export type MapPalette = Readonly<Record<keyof typeof TOKENS, string>>;

/** Read the palette that is in force on the page. */
export function readPalette(): MapPalette {
  const style = getComputedStyle(document.documentElement);
  const entries = Object.entries(TOKENS).map(([name, token]) => [name, style.getPropertyValue(token).trim()]);
  return Object.fromEntries(entries) as MapPalette;
}

/**
 * Red, green, blue of a `#rrggbb` colour.
 *
 * @throws Error it is not of that form.
 */
export function rgb(colour: string): [number, number, number] {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (match === null) throw new Error(`not a #rrggbb colour: ${colour}`);
  return [parseInt(match[1]!, 16), parseInt(match[2]!, 16), parseInt(match[3]!, 16)];
}

/** The colour with an opacity, as CSS. */
export function withAlpha(colour: string, alpha: number): string {
  const [r, g, b] = rgb(colour);
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}
