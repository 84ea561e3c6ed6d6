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
/** Names are not drawn farther out than this, CSS px a metre turned round: a roadstead fits the screen. */
const NAMES_BELOW_RESOLUTION = 45;
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

export function paintAnnotations(ctx: CanvasRenderingContext2D, scene: Scene, areTargetsHulls: boolean): void {
  const scale = pxPerMetre(scene.view);
  if (areTargetsHulls) paintHulls(ctx, scene, scale);
  paintVectors(ctx, scene);
  paintNames(ctx, scene);
  paintBrackets(ctx, scene);
}

function paintHulls(ctx: CanvasRenderingContext2D, scene: Scene, scale: number): void {
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

function paintNames(ctx: CanvasRenderingContext2D, scene: Scene): void {
  const { drawn, table, palette, view } = scene;
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  ctx.lineJoin = 'round';
  const declutter = new Declutter();
  const order = namingOrder(scene, view.resolution < NAMES_BELOW_RESOLUTION);
  for (const i of order) {
    const slot = drawn.slot[i]!;
    const mmsi = table.mmsi[slot]!;
    const name = scene.statics.get(mmsi)?.name ?? String(mmsi);
    const x = drawn.x[i]! + 13;
    const y = drawn.y[i]! + 11;
    const isChosen = mmsi === scene.selectedMmsi || mmsi === scene.hoveredMmsi;
    const isFree = declutter.claim({ x: x - 2, y: y - 8, width: ctx.measureText(name).width + 4, height: 16 });
    if (!isFree && !isChosen) continue;
    ctx.strokeStyle = palette.halo;
    ctx.lineWidth = 3;
    ctx.strokeText(name, x, y);
    ctx.fillStyle = isChosen ? palette.select : drawn.freshness[i] === 'fresh' ? palette.label : palette.stale;
    ctx.fillText(name, x, y);
  }
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
    if (mmsi === scene.selectedMmsi) corners(ctx, drawn.x[i]!, drawn.y[i]!, 17, scene.palette.select, 2.2);
    else if (mmsi === scene.hoveredMmsi) corners(ctx, drawn.x[i]!, drawn.y[i]!, 15, scene.palette.label, 1.2);
  }
}

function corners(ctx: CanvasRenderingContext2D, x: number, y: number, reach: number, colour: string, width: number): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  for (const [sx, sy] of [[-1, -1], [1, -1], [1, 1], [-1, 1]] as const) {
    ctx.moveTo(x + sx * reach, y + sy * (reach - 7));
    ctx.lineTo(x + sx * reach, y + sy * reach);
    ctx.lineTo(x + sx * (reach - 7), y + sy * reach);
  }
  ctx.stroke();
}
