/** The wind at each mast: an arrow that flies with the wind, longer when it blows harder, and its speed. */
import type { Declutter } from './declutter.ts';
import type { MapPalette } from './palette.ts';
import type { Viewport } from './target_painter.ts';

export interface WindMark {
  /** Mercator metres of the mast. */
  x: number;
  y: number;
  speedMps: number | null;
  /** Degrees true that it blows from. */
  directionDeg: number | null;
  /** Speed as the operator reads it, with its unit. */
  text: string;
  isStale: boolean;
}

/** Farther out than this the arrow would hide the harbour, Mercator metres a CSS pixel. */
const SHOWN_BELOW_RESOLUTION = 40;

export function paintWind(
  ctx: CanvasRenderingContext2D,
  winds: readonly WindMark[],
  view: Viewport,
  palette: MapPalette,
  taken: Declutter,
): void {
  if (view.resolution > SHOWN_BELOW_RESOLUTION) return;
  for (const wind of winds) {
    if (wind.speedMps === null || wind.directionDeg === null) continue;
    const x = (wind.x - view.centreX) / view.resolution + view.widthPx / 2;
    const y = (view.centreY - wind.y) / view.resolution + view.heightPx / 2;
    ctx.strokeStyle = wind.isStale ? palette.stale : palette.label;
    ctx.fillStyle = ctx.strokeStyle;
    ctx.setLineDash(wind.isStale ? [3, 3] : []);
    paintArrow(ctx, x, y, wind.directionDeg, Math.min(46, 18 + wind.speedMps * 1.6));
    ctx.setLineDash([]);
    ctx.font = "600 11.5px 'Noto Sans', 'DejaVu Sans', sans-serif";
    ctx.textBaseline = 'middle';
    ctx.lineWidth = 3;
    ctx.lineJoin = 'round';
    ctx.strokeStyle = palette.halo;
    const width = ctx.measureText(wind.text).width;
    taken.claim({ x: x - 22, y: y - 22, width: 52 + width, height: 44 });
    ctx.strokeText(wind.text, x + 24, y);
    ctx.fillText(wind.text, x + 24, y);
  }
}

function paintArrow(ctx: CanvasRenderingContext2D, x: number, y: number, fromDeg: number, length: number): void {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(((fromDeg + 180) * Math.PI) / 180);
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(0, length / 2);
  ctx.lineTo(0, -length / 2 + 6);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(0, -length / 2);
  ctx.lineTo(5, -length / 2 + 10);
  ctx.lineTo(-5, -length / 2 + 10);
  ctx.closePath();
  ctx.fill();
  ctx.restore();
}
