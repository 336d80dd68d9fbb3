import type { ApiEvent } from '../../adapters/http/views.ts';

/** The events of this process in order, to whoever listens. */
export class EventFeed {
  readonly #listeners = new Set<(event: ApiEvent) => void>();
  #id = 0;

  tell<Name extends ApiEvent['event']>(event: Name, data: Extract<ApiEvent, { event: Name }>['data']): void {
    this.#id += 1;
    for (const listener of this.#listeners) listener({ id: this.#id, event, data } as ApiEvent);
  }

  subscribe(listener: (event: ApiEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
