/**
 * What is drawn over the symbols with ordinary canvas paths, few at a time: hulls to scale, course vectors, names,
 * and the brackets of the selected and the pointed-at target.
 */
import type { StaticData } from '../wire/frame.ts';
import type { TargetTable } from '../picture/target_table.ts';
import { Declutter } from './declutter.ts';
import { MIN_HULL_PX, hullOutline, hullSize } from './hull.ts';
import { mercatorScale } from './projection.ts';
import type { Motion } from './motion.ts';
import type { MapPalette } from './palette.ts';
import { type DrawnTargets, type Viewport, directionOf, isVessel } from './target_painter.ts';

/** The vector ends where the ship will be in 3 minutes at her present course and speed. */
export const VECTOR_S = 180;
/** Most names, vectors and hulls in one frame: more cannot be read, and 20,000 of them would cost the frame rate. */
const MAX_NAMES = 160;
const MAX_VECTORS = 600;
const MAX_HULLS = 200;
/** Symbols whose place is kept free of names: with more of them in view no name would find a place. */
const MAX_KEPT_FREE = 1500;
/** Names are not drawn farther out than this, CSS px a metre turned round: a roadstead fits the screen. */
const NAMES_BELOW_RESOLUTION = 45;
const BRACKET_PX = 17;
const FONT = "500 11.5px 'Noto Sans', 'DejaVu Sans', sans-serif";

export interface Scene {
  table: TargetTable;
  motion: Motion;
  statics: ReadonlyMap<number, StaticData>;
  drawn: DrawnTargets;
  view: Viewport;
  palette: MapPalette;
  selectedMmsi: number | null;
  hoveredMmsi: number | null;
}

/** CSS pixels a metre on the ground at the middle of the view. */
export function pxPerMetre(view: Viewport): number {
  const latRad = 2 * Math.atan(Math.exp(view.centreY / 6_378_137)) - Math.PI / 2;
  return mercatorScale((latRad * 180) / Math.PI) / view.resolution;
}

/** Whether a target is drawn as a hull: her size and heading are known and she is long enough on screen. */
export function isDrawnToScale(scene: Omit<Scene, 'drawn'>, slot: number, scale: number): boolean {
  if (scale < MIN_HULL_PX / 500) return false; // no ship is longer than 500 m: nothing to look up
  const size = hullSize(scene.statics.get(scene.table.mmsi[slot]!));
  if (size === null || directionOf(scene.table, slot) === null) return false;
  return isVessel(scene.table.bits[slot]!) && (size.bowM + size.sternM) * scale >= MIN_HULL_PX;
}

/** Vectors, names and brackets; what lies under the names is kept free of them by `taken`. */
export function paintAnnotations(ctx: CanvasRenderingContext2D, scene: Scene, taken: Declutter): void {
  paintVectors(ctx, scene);
  paintNames(ctx, scene, taken);
  paintBrackets(ctx, scene);
}

/** Hulls to scale, of the targets that `isDrawnToScale`. */
export function paintHulls(ctx: CanvasRenderingContext2D, scene: Scene): void {
  const scale = pxPerMetre(scene.view);
  const { drawn, table, palette } = scene;
  let left = MAX_HULLS;
  for (let i = 0; i < drawn.count && left > 0; i += 1) {
    const slot = drawn.slot[i]!;
    if (!isDrawnToScale(scene, slot, scale)) continue;
    left -= 1;
    const size = hullSize(scene.statics.get(table.mmsi[slot]!))!;
    ctx.beginPath();
    for (const [x, y] of hullOutline(size, directionOf(table, slot)!, scale)) {
      ctx.lineTo(drawn.x[i]! + x, drawn.y[i]! + y);
    }
    ctx.closePath();
    const isFresh = drawn.freshness[i] === 'fresh';
    ctx.globalAlpha = 0.9;
    ctx.fillStyle = table.sog[slot]! < 5 ? palette.rest : palette.ship;
    if (isFresh) ctx.fill();
    ctx.globalAlpha = 1;
    ctx.strokeStyle = isFresh ? palette.shipEdge : palette.stale;
    ctx.lineWidth = 1.4;
    ctx.setLineDash([]);
    ctx.stroke();
    if (drawn.freshness[i] === 'lost') paintCross(ctx, drawn.x[i]!, drawn.y[i]!);
  }
}

function paintCross(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.beginPath();
  ctx.moveTo(x - 8, y - 8);
  ctx.lineTo(x + 8, y + 8);
  ctx.moveTo(x - 8, y + 8);
  ctx.lineTo(x + 8, y - 8);
  ctx.stroke();
}

function paintVectors(ctx: CanvasRenderingContext2D, scene: Scene): void {
  const { drawn, motion, view } = scene;
  ctx.strokeStyle = scene.palette.vector;
  ctx.lineWidth = 1.3;
  ctx.setLineDash([5, 4]);
  ctx.beginPath();
  let left = MAX_VECTORS;
  for (let i = 0; i < drawn.count && left > 0; i += 1) {
    const slot = drawn.slot[i]!;
    const dx = (motion.vx[slot]! * VECTOR_S) / view.resolution;
    const dy = (-motion.vy[slot]! * VECTOR_S) / view.resolution;
    if (drawn.freshness[i] !== 'fresh' || dx * dx + dy * dy < 100) continue;
    left -= 1;
    ctx.moveTo(drawn.x[i]!, drawn.y[i]!);
    ctx.lineTo(drawn.x[i]! + dx, drawn.y[i]! + dy);
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

function paintNames(ctx: CanvasRenderingContext2D, scene: Scene, taken: Declutter): void {
  const { drawn, table, palette, view } = scene;
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  ctx.lineJoin = 'round';
  for (let i = 0; i < Math.min(drawn.count, MAX_KEPT_FREE); i += 1) {
    taken.claim({ x: drawn.x[i]! - 6, y: drawn.y[i]! - 6, width: 12, height: 12 });
  }
  const order = namingOrder(scene, view.resolution < NAMES_BELOW_RESOLUTION);
  for (const i of order) {
    const slot = drawn.slot[i]!;
    const mmsi = table.mmsi[slot]!;
    const name = scene.statics.get(mmsi)?.name ?? String(mmsi);
    const isChosen = mmsi === scene.selectedMmsi || mmsi === scene.hoveredMmsi;
    const place = freePlace(taken, drawn.x[i]!, drawn.y[i]!, ctx.measureText(name).width, isChosen);
    if (place === null) continue;
    ctx.strokeStyle = palette.halo;
    ctx.lineWidth = 3;
    ctx.strokeText(name, place[0], place[1]);
    ctx.fillStyle = isChosen ? palette.select : drawn.freshness[i] === 'fresh' ? palette.label : palette.stale;
    ctx.fillText(name, place[0], place[1]);
  }
}

/** Beside the symbol, first of four corners that is free; a chosen target is named in any case. */
function freePlace(taken: Declutter, x: number, y: number, width: number, isForced: boolean): [number, number] | null {
  const aside = isForced ? BRACKET_PX + 4 : 12; // a chosen name stands clear of the brackets
  const places: [number, number][] = [
    [x + aside, y + 11],
    [x + aside, y - 11],
    [x - aside - width, y + 11],
    [x - aside - width, y - 11],
  ];
  for (const place of places) {
    if (taken.claim({ x: place[0] - 2, y: place[1] - 7, width: width + 4, height: 14 })) return place;
  }
  return isForced ? places[0]! : null;
}

/** Chosen targets first, then vessels that move, then the rest, so that names that matter win their places. */
function namingOrder(scene: Scene, areAllNamed: boolean): number[] {
  const chosen: number[] = [];
  const moving: number[] = [];
  const resting: number[] = [];
  const { drawn, table } = scene;
  for (let i = 0; i < drawn.count; i += 1) {
    const slot = drawn.slot[i]!;
    const mmsi = table.mmsi[slot]!;
    if (mmsi === scene.selectedMmsi || mmsi === scene.hoveredMmsi) chosen.push(i);
    else if (!areAllNamed || !isVessel(table.bits[slot]!) || moving.length >= MAX_NAMES) continue;
    else if (scene.motion.vx[slot] !== 0 || scene.motion.vy[slot] !== 0) moving.push(i);
    else if (resting.length < MAX_NAMES) resting.push(i);
  }
  return [...chosen, ...moving, ...resting].slice(0, MAX_NAMES + chosen.length);
}

function paintBrackets(ctx: CanvasRenderingContext2D, scene: Scene): void {
  const { drawn, table } = scene;
  for (let i = 0; i < drawn.count; i += 1) {
    const mmsi = table.mmsi[drawn.slot[i]!]!;
    if (mmsi === scene.selectedMmsi) corners(ctx, drawn.x[i]!, drawn.y[i]!, BRACKET_PX, scene.palette.select, 2.2);
    else if (mmsi === scene.hoveredMmsi) corners(ctx, drawn.x[i]!, drawn.y[i]!, 15, scene.palette.label, 1.2);
  }
}

function corners(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  reach: number,
  colour: string,
  width: number,
): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  for (const [sx, sy] of [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ] as const) {
    ctx.moveTo(x + sx * reach, y + sy * (reach - 7));
    ctx.lineTo(x + sx * reach, y + sy * reach);
    ctx.lineTo(x + sx * (reach - 7), y + sy * reach);
  }
  ctx.stroke();
}
