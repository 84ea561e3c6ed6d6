/**
 * Rasterises small symbols by signed distance, so that sprites are sharp, anti-aliased and the same on every machine,
 * and can be tested without a canvas. Coordinates are pixels, y down, origin at the sprite's middle.
 */

export type Point = readonly [number, number];

export interface Shape {
  /** Closed polygon, or open line. */
  points: readonly Point[];
  isClosed: boolean;
  /** `[r, g, b]`, or null for none. Lines are never filled. */
  fill: readonly [number, number, number] | null;
  stroke: readonly [number, number, number] | null;
  strokeWidth: number;
  fillAlpha: number;
}

/**
 * Pixels as `0xAABBGGRR`, not premultiplied: what ImageData reads on a little-endian machine. Signed, because a 32-bit
 * signed number is a machine word to the engine and an unsigned one above 2^31 is a float.
 */
export interface Sprite {
  size: number;
  pixels: Int32Array;
  /** First and last column of each row that is not transparent; first > last for an empty row. */
  first: Int16Array;
  last: Int16Array;
}

/**
 * Draw shapes into a square sprite, later over earlier.
 *
 * @param size edge, px, odd so that the middle is a pixel.
 */
export function rasterise(size: number, shapes: readonly Shape[]): Sprite {
  const pixels = new Int32Array(size * size);
  const middle = (size - 1) / 2;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      let pixel = 0;
      for (const shape of shapes) pixel = paint(pixel, shape, column - middle, row - middle);
      pixels[row * size + column] = pixel;
    }
  }
  return { size, pixels, ...spans(size, pixels) };
}

/** Six pixels in seven of a symbol are transparent: the blitter need not look at them. */
function spans(size: number, pixels: Int32Array): { first: Int16Array; last: Int16Array } {
  const first = new Int16Array(size).fill(size);
  const last = new Int16Array(size).fill(-1);
  for (let i = 0; i < pixels.length; i += 1) {
    if (pixels[i]! >>> 24 === 0) continue;
    const row = Math.floor(i / size);
    first[row] = Math.min(first[row]!, i % size);
    last[row] = i % size;
  }
  return { first, last };
}

function paint(below: number, shape: Shape, x: number, y: number): number {
  const edge = distanceToEdge(shape, x, y);
  let pixel = below;
  if (shape.fill !== null && shape.isClosed) {
    const signed = isInside(shape.points, x, y) ? -edge : edge;
    pixel = over(pixel, shape.fill, clamp01(0.5 - signed) * shape.fillAlpha);
  }
  if (shape.stroke !== null) pixel = over(pixel, shape.stroke, clamp01(0.5 + shape.strokeWidth / 2 - edge));
  return pixel;
}

/** Source-over of one colour on one non-premultiplied pixel. */
export function over(below: number, colour: readonly [number, number, number], alpha: number): number {
  if (alpha <= 0) return below;
  const belowAlpha = (below >>> 24) / 255;
  const out = alpha + belowAlpha * (1 - alpha);
  const mix = (top: number, bottom: number): number =>
    Math.round((top * alpha + bottom * belowAlpha * (1 - alpha)) / out);
  const r = mix(colour[0], below & 0xff);
  const g = mix(colour[1], (below >>> 8) & 0xff);
  const b = mix(colour[2], (below >>> 16) & 0xff);
  return (Math.round(out * 255) << 24) | (b << 16) | (g << 8) | r;
}

function distanceToEdge(shape: Shape, x: number, y: number): number {
  const { points, isClosed } = shape;
  let best = Infinity;
  const segments = isClosed ? points.length : points.length - 1;
  for (let i = 0; i < segments; i += 1) {
    const a = points[i]!;
    const b = points[(i + 1) % points.length]!;
    best = Math.min(best, distanceToSegment(x, y, a, b));
  }
  return best;
}

function distanceToSegment(x: number, y: number, a: Point, b: Point): number {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const length2 = dx * dx + dy * dy;
  const along = length2 === 0 ? 0 : clamp01(((x - a[0]) * dx + (y - a[1]) * dy) / length2);
  return Math.hypot(x - a[0] - along * dx, y - a[1] - along * dy);
}

function isInside(points: readonly Point[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i, i += 1) {
    const [xi, yi] = points[i]!;
    const [xj, yj] = points[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
