/**
 * Base of the components: Lit without shadow DOM (one stylesheet, one set of tokens), drawn again whenever a signal
 * that was read while drawing changes.
 */
import { effect } from '@preact/signals-core';
import { LitElement } from 'lit';

export abstract class SignalElement extends LitElement {
  private stopWatching: (() => void) | null = null;

  protected override createRenderRoot(): this {
    return this;
  }

  protected override performUpdate(): void {
    if (!this.isUpdatePending) return;
    this.stopWatching?.();
    let isFirstRun = true;
    this.stopWatching = effect(() => {
      if (isFirstRun) {
        isFirstRun = false;
        super.performUpdate();
      } else {
        this.requestUpdate();
      }
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopWatching?.();
    this.stopWatching = null;
  }
}
