/**
 * How long a picture may stand before something in it has moved enough to be seen. Sans-io.
 *
 * Sixty frames a second of a port where nothing moves half a pixel would only heat the console: the fastest target in
 * view says when the next frame is due. Pointer, zoom and data redraw at once, apart from this.
 */

/** Movement that is worth a frame, CSS px. */
const STEP_PX = 0.5;
/** Shortest wait: the screen's own rate; longest: an age or a stale limit may pass. */
export const SHORTEST_MS = 16;
export const LONGEST_MS = 1000;

/**
 * Milliseconds until the next frame.
 *
 * @param fastestMercatorMps speed of the fastest target in view, Mercator metres a second.
 * @param resolution Mercator metres a CSS pixel.
 * @param isReduced the operator prefers reduced motion: ships step once a second.
 */
export function nextFrameMs(fastestMercatorMps: number, resolution: number, isReduced: boolean): number {
  if (isReduced || fastestMercatorMps <= 0) return LONGEST_MS;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (STEP_PX * resolution * 1000) / fastestMercatorMps));
}
