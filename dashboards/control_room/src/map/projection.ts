/**
 * Web Mercator (EPSG:3857) and its scale. Ours beside OpenLayers' because it runs for every target at every update and
 * must not allocate.
 */

const RADIUS_M = 6_378_137;
const MAX_LAT_DEG = 85.0511287798066;
const RAD = Math.PI / 180;

/** Easting, Mercator metres. */
export function mercatorX(lonDeg: number): number {
  return RADIUS_M * lonDeg * RAD;
}

/** Northing, Mercator metres; latitudes beyond the map's edge are clamped to it. */
export function mercatorY(latDeg: number): number {
  const lat = Math.min(MAX_LAT_DEG, Math.max(-MAX_LAT_DEG, latDeg)) * RAD;
  return RADIUS_M * Math.log(Math.tan(Math.PI / 4 + lat / 2));
}

/** Mercator metres a metre on the ground. */
export function mercatorScale(latDeg: number): number {
  return 1 / Math.cos(Math.min(MAX_LAT_DEG, Math.abs(latDeg)) * RAD);
}
