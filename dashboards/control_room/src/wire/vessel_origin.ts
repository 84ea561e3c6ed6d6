/**
 * Which gateway and source a vessel's position came from. Not on the live wire (it would cost every console bytes for
 * every ship): asked of `GET /api/v1/vessels/{mmsi}` for the one that is being looked at.
 */

export interface VesselOrigin {
  site: string | null;
  gateway: string | null;
  source: string | null;
}

/** Longest wait for an answer, ms; the next question comes anyway. */
const TIMEOUT_MS = 4000;

/** @returns null where the server does not know the vessel or does not answer in time. */
export async function fetchOrigin(mmsi: number): Promise<VesselOrigin | null> {
  try {
    const response = await fetch(`/api/v1/vessels/${mmsi}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? readOrigin(await response.json()) : null;
  } catch {
    return null; // the link's own lamp tells of a server that is gone
  }
}

export function readOrigin(answer: unknown): VesselOrigin | null {
  if (typeof answer !== 'object' || answer === null) return null;
  const fields = answer as Record<string, unknown>;
  const text = (name: string): string | null => (typeof fields[name] === 'string' ? (fields[name] as string) : null);
  return { site: text('site'), gateway: text('gateway'), source: text('source') };
}
