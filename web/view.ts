import type { NowView } from '../src/adapters/http/api-schema.ts';
import type { Format } from './format.ts';
import type { Store } from './store.ts';
import type { Words } from './strings.ts';

/** What every part of the page is given. `now` is there: before that the page shows that it waits. */
export interface View {
  readonly store: Store;
  readonly now: NowView;
  readonly words: Words;
  readonly format: Format;
}
