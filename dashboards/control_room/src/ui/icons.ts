/** Small drawings, 16 px grid, in the colour of the text around them. Drawn, not a font: no glyph can be missing. */
import { svg, type SVGTemplateResult, html, type TemplateResult } from 'lit';

function icon(content: SVGTemplateResult): TemplateResult {
  return html`<svg
    class="icon"
    viewBox="0 0 16 16"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    ${content}
  </svg>`;
}

export const CLOSE = icon(svg`<path d="M4 4l8 8M12 4l-8 8" />`);
export const TARGET = icon(svg`<circle cx="8" cy="8" r="4.5" /><path d="M8 1v3M8 12v3M1 8h3M12 8h3" />`);
export const PLUS = icon(svg`<path d="M8 3v10M3 8h10" />`);
export const MINUS = icon(svg`<path d="M3 8h10" />`);
export const EXTENT = icon(svg`<path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" />`);
export const SEARCH = icon(svg`<circle cx="7" cy="7" r="4.2" /><path d="M10.2 10.2L14 14" />`);
export const UP = icon(svg`<path d="M4 10l4-4 4 4" />`);
export const DOWN = icon(svg`<path d="M4 6l4 4 4-4" />`);

/** Priorities have a shape of their own: octagon, triangle, diamond (never told by colour alone). */
export const PRIORITY = {
  alarm: icon(svg`<path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z" /><path d="M8 4.5v4M8 11.2v.1" />`),
  warning: icon(svg`<path d="M8 1.8l6.7 12H1.3z" /><path d="M8 6v3.6M8 11.6v.1" />`),
  caution: icon(svg`<path d="M8 1.2L14.8 8 8 14.8 1.2 8z" /><path d="M8 5v3.4M8 10.6v.1" />`),
} as const;

/** The lamp's states: full ring, half ring, crossed ring. */
export const LAMP = {
  live: icon(svg`<circle cx="8" cy="8" r="5.5" /><circle cx="8" cy="8" r="2.4" fill="currentColor" stroke="none" />`),
  connecting: icon(
    svg`<path d="M8 2.5A5.5 5.5 0 0 1 13.5 8" /><circle cx="8" cy="8" r="5.5" stroke-dasharray="2 3" />`,
  ),
  lost: icon(svg`<circle cx="8" cy="8" r="5.5" /><path d="M4.3 4.3l7.4 7.4" />`),
} as const;

/** A target's state in the list: the same shapes as on the map. */
export function shipGlyph(state: string, isMoving: boolean, directionDeg: number | null): TemplateResult {
  const cross = state === 'lost' ? svg`<path d="M3 3l10 10M13 3L3 13" />` : svg``;
  const shape =
    directionDeg === null
      ? svg`<circle cx="8" cy="8" r="3.6" />`
      : isMoving
        ? svg`<path d="M8 1.2L11.8 14H4.2z" />`
        : svg`<path d="M8 3.8L10.8 12H5.2z" />`;
  const fill = state === 'fresh' ? 'currentColor' : 'none';
  const turn = `rotate(${Math.round(directionDeg ?? 0)} 8 8)`;
  return html`<svg
    class="icon glyph"
    viewBox="0 0 16 16"
    aria-hidden="true"
    fill=${fill}
    stroke="currentColor"
    stroke-width="1.2"
  >
    <g transform=${turn}>${shape}</g>
    ${cross}
  </svg>`;
}
