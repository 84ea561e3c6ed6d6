/** A button that is a drawing: named for the screen reader and for the pointer that rests on it. */
import { type TemplateResult, html } from 'lit';

export function iconButton(name: string, icon: TemplateResult, act: () => void, isDisabled = false): TemplateResult {
  return html`<button
    type="button"
    class="icon-button"
    aria-label=${name}
    title=${name}
    ?disabled=${isDisabled}
    @click=${act}
  >
    ${icon}
  </button>`;
}
