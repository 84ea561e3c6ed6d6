/**
 * The two canvases over the chart: symbols (blitted) and annotations (paths). Draws when told, at the viewport it is
 * told; knows nothing of OpenLayers and keeps no time.
 */
import type { Picture } from '../picture/picture.ts';
import { Framebuffer } from './blitter.ts';
import { isDrawnToScale, paintAnnotations, paintHulls, pxPerMetre } from './annotations.ts';
import { type CraneState, paintCranes } from './crane_painter.ts';
import { Declutter } from './declutter.ts';
import { Motion } from './motion.ts';
import type { MapPalette } from './palette.ts';
import type { QuayLine } from './quay_geometry.ts';
import { SpriteAtlas } from './sprites.ts';
import { DrawnTargets, type Viewport, paintTargets } from './target_painter.ts';
import { type WindMark, paintWind } from './wind_painter.ts';

/** Canvas pixels a CSS pixel at most: beyond 1.5 the framebuffer costs more than it shows. */
export const MAX_RATIO = 1.5;

/** With more symbols than this in view they are drawn smaller: they would cover each other, and cost the frame rate. */
export const DENSE_COUNT = 2500;
const DENSE_SCALE = 0.62;

export interface Fixtures {
  cranes: readonly CraneState[];
  winds: readonly WindMark[];
  quays: ReadonlyMap<string, QuayLine>;
}

export class Overlay {
  readonly drawn = new DrawnTargets();
  readonly symbols = document.createElement('canvas');
  readonly annotations = document.createElement('canvas');
  private readonly motion = new Motion();
  private buffer = new Framebuffer(1, 1);
  private image = new ImageData(1, 1);
  private motionRevision = -1;
  private atlas: SpriteAtlas;
  private denseAtlas: SpriteAtlas;
  private atlasRatio = 1;

  constructor(
    private readonly picture: Picture,
    private palette: MapPalette,
  ) {
    this.atlas = new SpriteAtlas(palette, 1);
    this.denseAtlas = new SpriteAtlas(palette, DENSE_SCALE);
    for (const canvas of [this.symbols, this.annotations]) {
      canvas.className = 'map-overlay';
      canvas.setAttribute('aria-hidden', 'true');
    }
    this.symbols.dataset['testid'] = 'map-targets';
    this.symbols.dataset['count'] = '0';
    this.symbols.dataset['targetsDrawn'] = '0';
  }

  setPalette(palette: MapPalette): void {
    this.palette = palette;
    this.makeAtlases(this.atlasRatio);
  }

  /**
   * Draw one frame.
   *
   * @param nowMs server UTC ms that targets are carried to, or null before the first frame.
   * @returns speed of the fastest target drawn, Mercator metres a second.
   */
  draw(
    view: Viewport,
    nowMs: number | null,
    fixtures: Fixtures,
    selected: number | null,
    hovered: number | null,
  ): number {
    this.fit(view);
    const { targets: table, statics } = this.picture;
    const revision = this.picture.revision.peek();
    if (revision !== this.motionRevision) {
      this.motion.refresh(table);
      this.motionRevision = revision;
    }
    const scene = {
      table,
      motion: this.motion,
      statics,
      drawn: this.drawn,
      view,
      palette: this.palette,
      selectedMmsi: selected,
      hoveredMmsi: hovered,
    };
    const scale = pxPerMetre(view);
    const before = this.buffer.clear();
    const atlas = this.drawn.count > DENSE_COUNT ? this.denseAtlas : this.atlas;
    paintTargets(table, this.motion, view, nowMs ?? 0, atlas, this.buffer, this.drawn, (slot) =>
      isDrawnToScale(scene, slot, scale),
    );
    this.show(before);
    const ctx = this.annotations.getContext('2d')!;
    ctx.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    ctx.clearRect(0, 0, view.widthPx, view.heightPx);
    const taken = new Declutter();
    paintHulls(ctx, scene);
    paintCranes(ctx, fixtures.cranes, fixtures.quays, view, this.palette);
    paintWind(ctx, fixtures.winds, view, this.palette, taken);
    paintAnnotations(ctx, scene, taken);
    this.symbols.dataset['count'] = String(table.count);
    this.symbols.dataset['targetsDrawn'] = String(this.drawn.count);
    return this.fastest();
  }

  private fastest(): number {
    let best = 0;
    for (let i = 0; i < this.drawn.count; i += 1) {
      const slot = this.drawn.slot[i]!;
      best = Math.max(best, Math.hypot(this.motion.vx[slot]!, this.motion.vy[slot]!));
    }
    return best;
  }

  private makeAtlases(ratio: number): void {
    this.atlasRatio = ratio;
    this.atlas = new SpriteAtlas(this.palette, ratio);
    this.denseAtlas = new SpriteAtlas(this.palette, ratio * DENSE_SCALE);
  }

  private fit(view: Viewport): void {
    const width = Math.round(view.widthPx * view.ratio);
    const height = Math.round(view.heightPx * view.ratio);
    if (view.ratio !== this.atlasRatio) {
      this.makeAtlases(view.ratio);
    }
    if (width === this.symbols.width && height === this.symbols.height) return;
    for (const canvas of [this.symbols, this.annotations]) {
      canvas.width = width;
      canvas.height = height;
    }
    this.buffer = new Framebuffer(width, height);
    this.image = new ImageData(
      new Uint8ClampedArray(this.buffer.pixels.buffer as ArrayBuffer),
      this.buffer.width,
      this.buffer.height,
    );
  }

  /** Put the rows that hold or held symbols on the canvas. */
  private show(before: [number, number] | null): void {
    const now = this.buffer.touched();
    const first = Math.min(before?.[0] ?? Infinity, now?.[0] ?? Infinity);
    const last = Math.max(before?.[1] ?? -1, now?.[1] ?? -1);
    if (last < 0) return;
    this.symbols.getContext('2d')!.putImageData(this.image, 0, 0, 0, first, this.buffer.width, last - first + 1);
  }
}
