/** A scale bar of a round length. Metres below a nautical mile, miles above. Pure. */

const LENGTHS_M = [
  10,
  20,
  50,
  100,
  200,
  500,
  1000,
  1852,
  2 * 1852,
  5 * 1852,
  10 * 1852,
  20 * 1852,
  50 * 1852,
  100 * 1852,
  200 * 1852,
  500 * 1852,
];
/** Longest bar, CSS px. */
const MAX_PX = 130;

export interface ScaleBar {
  metres: number;
  widthPx: number;
}

/** @param metresPerPx metres on the ground a CSS pixel, above 0. */
export function scaleBar(metresPerPx: number): ScaleBar {
  const fitting = LENGTHS_M.filter((length) => length / metresPerPx <= MAX_PX);
  const metres = fitting.at(-1) ?? LENGTHS_M[0]!;
  return { metres, widthPx: Math.round(metres / metresPerPx) };
}
