/**
 * How each kind of chart feature looks: S-52's calm, few hues, weight by importance. Source of kinds: docs/chart.md.
 * Every symbol has declutter mode "none": names give way to symbols, a buoy is never dropped for a word.
 */
import type { FeatureLike } from 'ol/Feature.js';
import Fill from 'ol/style/Fill.js';
import RegularShape from 'ol/style/RegularShape.js';
import CircleStyle from 'ol/style/Circle.js';
import Stroke from 'ol/style/Stroke.js';
import Style from 'ol/style/Style.js';
import Text from 'ol/style/Text.js';
import Point from 'ol/geom/Point.js';
import { type MapPalette, withAlpha } from './palette.ts';
import { type QuayLine, placeOnQuay } from './quay_geometry.ts';

export type ChartStyle = (feature: FeatureLike, resolution: number) => Style[];

/** Drawing order: what lies below first. */
const ORDER = [
  'depth_area',
  'fairway',
  'anchorage',
  'restricted',
  'land',
  'breakwater',
  'berth',
  'quay',
  'fairway_lane',
  'bollard',
  'pilot_boarding',
  'buoy',
  'instrument',
];
/** Landward rail of a quay crane, m behind the fender line, with room for its portal. */
const BEHIND_RAILS_M = 40;
const FONT = "'Noto Sans', 'DejaVu Sans', sans-serif";

/** Styles for one palette and language; berths are named on the land side of their quays. */
export function chartStyle(
  palette: MapPalette,
  language: 'es' | 'en',
  quays: ReadonlyMap<string, QuayLine>,
): ChartStyle {
  const shapes = makeShapes(palette, quays);
  return (feature, resolution) => {
    const kind = String(feature.get('kind'));
    const make = shapes[kind];
    if (make === undefined) return [];
    const styles = make(feature, resolution, String(feature.get(`name_${language}`) ?? ''));
    const order = ORDER.indexOf(kind);
    for (const style of styles) style.setZIndex((style.getZIndex() ?? 0) + order);
    return styles;
  };
}

type Make = (feature: FeatureLike, resolution: number, name: string) => Style[];

function makeShapes(p: MapPalette, quays: ReadonlyMap<string, QuayLine>): Record<string, Make> {
  return {
    depth_area: (feature) => [area(depthColour(p, Number(feature.get('depth_m'))))],
    land: (feature, r, name) => [area(p.land, p.landEdge, 1), ...label(p, hasRoom(feature, r) ? name : '', 12)],
    breakwater: (_f, r, name) => [area(p.breakwater, p.landEdge, 1), ...label(p, r < 14 ? name : '', 11)],
    fairway: (_f, r, name) => [
      area(withAlpha(p.fairway, 0.08), p.fairway, 1, [10, 6]),
      ...label(p, r < 40 ? name : '', 12, p.fairway),
    ],
    fairway_lane: (feature, r) => laneStyles(p, feature, r),
    anchorage: (_f, r, name) => [
      area(withAlpha(p.anchorage, 0.05), p.anchorage, 1.2, [3, 5]),
      ...label(p, r < 80 ? `⚓ ${name}` : '⚓', 12, p.anchorage),
    ],
    restricted: (_f, r, name) => [
      area(withAlpha(p.restricted, 0.12), p.restricted, 1.5, [8, 3, 2, 3]),
      ...label(p, r < 8 ? name : r < 30 ? '⊘' : '', 11, p.restricted),
    ],
    quay: (_f, r, name) => [
      new Style({ stroke: new Stroke({ color: p.quay, width: r < 5 ? 3 : 2 }) }),
      ...lineLabel(p, r < 12 && r >= 3.2 ? name : ''),
    ],
    berth: (feature, r, name) => [
      area(withAlpha(p.berth, 0.55), r < 10 ? p.berthEdge : undefined, 1),
      ...(r < 3.2 ? berthLabel(p, feature, r, name, quays) : []),
    ],
    bollard: (_f, r) => (r < 1.2 ? [dot(2, p.quay)] : []),
    pilot_boarding: (_f, r, name) => [diamond(p), ...label(p, r < 40 ? name : '', 11, p.fairway, 16)],
    buoy: (feature, r) => (r < 45 ? [buoy(p, String(feature.get('colour')))] : []),
    instrument: (feature, r, name) =>
      r < 15 && feature.get('instrument') !== 'berth_sensor'
        ? [mast(p), ...label(p, r < 1.2 ? name : '', 10, p.label, 14)]
        : [],
  };
}

/** A name is only written on what is wider than it: a label that spills over the water covers ships. */
function hasRoom(feature: FeatureLike, resolution: number): boolean {
  const extent = feature.getGeometry()?.getExtent();
  return extent !== undefined && (extent[2]! - extent[0]!) / resolution > 180;
}

function depthColour(p: MapPalette, depthM: number): string {
  if (depthM < 10) return p.shallow;
  return depthM < 20 ? p.mid : p.deep;
}

function area(fill: string, edge?: string, width = 1, dash?: number[]): Style {
  const style = new Style({ fill: new Fill({ color: fill }) });
  if (edge !== undefined) style.setStroke(new Stroke({ color: edge, width, ...(dash ? { lineDash: dash } : {}) }));
  return style;
}

function text(p: MapPalette, name: string, size: number, colour: string): Text {
  return new Text({
    text: name,
    font: `${size}px ${FONT}`,
    fill: new Fill({ color: colour }),
    stroke: new Stroke({ color: p.halo, width: 3 }),
    overflow: true,
  });
}

function label(p: MapPalette, name: string, size: number, colour = p.label, offsetY = 0): Style[] {
  if (name === '') return [];
  const content = text(p, name, size, colour);
  content.setOffsetY(offsetY);
  return [new Style({ text: content, zIndex: 40 })];
}

/** Inland of the cranes' rails: over the water the name would lie under the ship that it belongs to. */
function berthLabel(
  p: MapPalette,
  feature: FeatureLike,
  resolution: number,
  name: string,
  quays: ReadonlyMap<string, QuayLine>,
): Style[] {
  const quay = quays.get(String(feature.get('quay')));
  if (quay === undefined) return label(p, name, 11);
  const place = placeOnQuay(quay, (Number(feature.get('from_m')) + Number(feature.get('to_m'))) / 2);
  const inland = BEHIND_RAILS_M * place.scale + 12 * resolution;
  const [style] = label(p, name, 12);
  if (style === undefined) return [];
  style.setGeometry(new Point([place.x - place.seaward[0] * inland, place.y - place.seaward[1] * inland]));
  style.getText()?.setTextAlign(Math.abs(place.seaward[0]) < 0.35 ? 'center' : place.seaward[0] > 0 ? 'right' : 'left');
  return [style];
}

function lineLabel(p: MapPalette, name: string): Style[] {
  if (name === '') return [];
  const content = text(p, name, 12, p.label);
  content.setPlacement('line');
  content.setTextBaseline('bottom');
  content.setOffsetY(-8);
  return [new Style({ text: content, zIndex: 40 })];
}

function laneStyles(p: MapPalette, feature: FeatureLike, resolution: number): Style[] {
  const styles = [
    new Style({ stroke: new Stroke({ color: withAlpha(p.fairway, 0.75), width: 1, lineDash: [14, 8] }) }),
  ];
  if (resolution > 30) return styles;
  const content = text(p, '➤       ➤       ➤', 11, p.fairway);
  content.setPlacement('line');
  content.setKeepUpright(false);
  styles.push(new Style({ text: content, zIndex: 30 }));
  return styles.filter(() => feature.get('direction') !== undefined);
}

function dot(radius: number, colour: string): Style {
  return new Style({ image: new CircleStyle({ declutterMode: 'none', radius, fill: new Fill({ color: colour }) }) });
}

function diamond(p: MapPalette): Style {
  const stroke = new Stroke({ color: p.fairway, width: 1.6 });
  return new Style({
    image: new RegularShape({ declutterMode: 'none', points: 4, radius: 8, stroke, fill: new Fill({ color: p.halo }) }),
  });
}

function mast(p: MapPalette): Style {
  const stroke = new Stroke({ color: p.label, width: 1.3 });
  return new Style({
    image: new RegularShape({ declutterMode: 'none', points: 3, radius: 5, stroke, fill: new Fill({ color: p.halo }) }),
  });
}

/** Lateral marks by shape and colour (IALA region A): red can, green cone; yellow cross-shaped, safe water round. */
function buoy(p: MapPalette, colour: string): Style {
  const edge = new Stroke({ color: p.halo, width: 1 });
  const mark = (fill: string, form: { points: number; angle?: number; radius2?: number }): Style =>
    new Style({
      image: new RegularShape({
        declutterMode: 'none',
        radius: 6,
        stroke: edge,
        fill: new Fill({ color: fill }),
        ...form,
      }),
    });
  switch (colour) {
    case 'red':
      return mark(p.buoyRed, { points: 4, angle: Math.PI / 4 });
    case 'green':
      return mark(p.buoyGreen, { points: 3 });
    case 'yellow':
      return mark(p.buoyYellow, { points: 4, radius2: 2 });
    default: {
      const ring = new Stroke({ color: p.buoyRed, width: 2 });
      const fill = new Fill({ color: p.halo });
      return new Style({ image: new CircleStyle({ declutterMode: 'none', radius: 4.5, stroke: ring, fill }) });
    }
  }
}
