/**
 * Ship-to-shore cranes where they really stand: the portal at its chainage along the quay, the boom over the water,
 * the trolley where it is. A loaded spreader is a filled square, an empty one hollow; a stale crane is a grey dashed
 * outline at the last place it reported, a crane that never reported stands parked, dashed.
 */
import type { ChartFeature } from './chart.ts';
import type { MapPalette } from './palette.ts';
import { type QuayLine, type QuayPlace, placeOnQuay } from './quay_geometry.ts';
import type { Viewport } from './target_painter.ts';

export interface CraneState {
  feature: ChartFeature;
  gantryM: number | null;
  trolleyM: number | null;
  isLoaded: boolean;
  isKnown: boolean;
  isStale: boolean;
}

/** Rail gauge of a quay crane, m: the usual 30.48 m (100 ft); the chart does not carry it. */
const RAIL_GAUGE_M = 30.48;
/** Width of a portal along the quay, m. */
const PORTAL_M = 18;
/** Waterside rail behind the fender line, m. */
const SETBACK_M = 4;
/** Farther out than this, CSS px a metre, a crane is a small square on the quay, and farther still nothing. */
const DETAIL_PX_PER_M = 0.14;
const VISIBLE_PX_PER_M = 0.03;
const FONT = "500 11px 'Noto Sans', 'DejaVu Sans', sans-serif";

export function paintCranes(
  ctx: CanvasRenderingContext2D,
  cranes: readonly CraneState[],
  quays: ReadonlyMap<string, QuayLine>,
  view: Viewport,
  palette: MapPalette,
): void {
  for (const crane of cranes) {
    const line = quays.get(String(crane.feature.properties['quay']));
    if (line === undefined) continue;
    const parkedAtM = Number(crane.feature.properties['parked_at_m'] ?? 0);
    paintCrane(ctx, crane, placeOnQuay(line, crane.gantryM ?? parkedAtM), view, palette);
  }
}

function paintCrane(
  ctx: CanvasRenderingContext2D,
  crane: CraneState,
  place: QuayPlace,
  view: Viewport,
  palette: MapPalette,
): void {
  const pxPerM = place.scale / view.resolution;
  if (pxPerM < VISIBLE_PX_PER_M) return;
  const isDim = crane.isStale || !crane.isKnown;
  const outreachM = Number(crane.feature.properties['outreach_m'] ?? 40);
  ctx.save();
  ctx.translate(
    (place.x - view.centreX) / view.resolution + view.widthPx / 2,
    (view.centreY - place.y) / view.resolution + view.heightPx / 2,
  );
  if (pxPerM < DETAIL_PX_PER_M) {
    paintTick(ctx, crane, isDim, palette);
    ctx.restore();
    return;
  }
  // local axes: x along the quay, y landward, so that the boom points to -y
  ctx.transform(place.along[0], -place.along[1], -place.seaward[0], place.seaward[1], 0, 0);
  ctx.strokeStyle = isDim ? palette.stale : palette.crane;
  ctx.fillStyle = isDim ? palette.stale : palette.load;
  ctx.setLineDash(isDim ? [3, 3] : []);
  const half = Math.max(3, (PORTAL_M / 2) * pxPerM);
  const railPx = SETBACK_M * pxPerM;
  ctx.lineWidth = 1.6;
  ctx.strokeRect(-half, railPx, half * 2, Math.max(6, RAIL_GAUGE_M * pxPerM));
  paintBoom(ctx, railPx + Math.max(6, RAIL_GAUGE_M * pxPerM), railPx - Math.max(10, outreachM * pxPerM), palette);
  ctx.setLineDash([]);
  if (crane.trolleyM !== null && !isDim) paintTrolley(ctx, crane, railPx - crane.trolleyM * pxPerM, palette);
  ctx.restore();
  if (pxPerM > 0.25) paintCraneName(ctx, crane, place, view, palette, pxPerM);
}

/** With a halo: the boom lies over the ship that it works, which may be as dark as it is. */
function paintBoom(ctx: CanvasRenderingContext2D, fromY: number, toY: number, palette: MapPalette): void {
  const colour = ctx.strokeStyle;
  ctx.beginPath();
  ctx.moveTo(0, fromY);
  ctx.lineTo(0, toY);
  ctx.strokeStyle = palette.halo;
  ctx.lineWidth = 4.5;
  ctx.stroke();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  ctx.stroke();
}

function paintTick(ctx: CanvasRenderingContext2D, crane: CraneState, isDim: boolean, palette: MapPalette): void {
  ctx.fillStyle = crane.isLoaded && !isDim ? palette.load : palette.halo;
  ctx.strokeStyle = isDim ? palette.stale : palette.crane;
  ctx.lineWidth = 1.2;
  ctx.fillRect(-2.5, -2.5, 5, 5);
  ctx.strokeRect(-2.5, -2.5, 5, 5);
}

function paintTrolley(ctx: CanvasRenderingContext2D, crane: CraneState, y: number, palette: MapPalette): void {
  const reach = 4.5;
  ctx.lineWidth = 1.5;
  if (!crane.isLoaded) ctx.fillStyle = palette.halo;
  ctx.fillRect(-reach, y - reach, reach * 2, reach * 2);
  ctx.strokeRect(-reach, y - reach, reach * 2, reach * 2);
}

function paintCraneName(
  ctx: CanvasRenderingContext2D,
  crane: CraneState,
  place: QuayPlace,
  view: Viewport,
  palette: MapPalette,
  pxPerM: number,
): void {
  const inlandPx = (SETBACK_M + RAIL_GAUGE_M) * pxPerM + 12;
  const x = (place.x - view.centreX) / view.resolution + view.widthPx / 2 - place.seaward[0] * inlandPx;
  const y = (view.centreY - place.y) / view.resolution + view.heightPx / 2 + place.seaward[1] * inlandPx;
  ctx.font = FONT;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.lineJoin = 'round';
  ctx.lineWidth = 3;
  ctx.strokeStyle = palette.halo;
  const name = crane.feature.properties.id.toUpperCase();
  ctx.strokeText(name, x, y);
  ctx.fillStyle = crane.isStale || !crane.isKnown ? palette.stale : palette.label;
  ctx.fillText(name, x, y);
  ctx.textAlign = 'start';
}
