/** The fate of the last requests on one link. `stale` has a hysteresis, so that a link on the edge does not flap. */
export interface LinkQuality {
  /** Newest last, at most `WINDOW`; true is an answered request. */
  readonly answered: readonly boolean[];
  readonly lost: number;
  readonly stale: boolean;
}

const WINDOW = 200;
const ENTER_ABOVE_PERCENT = 5;
const LEAVE_BELOW_PERCENT = 2;

export const NEW_LINK: LinkQuality = { answered: [], lost: 0, stale: false };

/**
 * Counts one request. Stale above 5 % loss over 200 requests, good again below 2 %. The share is of the full window from
 * the first request on: eleven losses make a young link stale too.
 */
export function recordRequest(link: LinkQuality, answered: boolean): LinkQuality {
  const full = link.answered.length === WINDOW;
  const leaving = full && link.answered[0] === false ? 1 : 0;
  const lost = link.lost + (answered ? 0 : 1) - leaving;
  const window = [...(full ? link.answered.slice(1) : link.answered), answered];
  return { answered: window, lost, stale: staleNext(link.stale, lost) };
}

function staleNext(stale: boolean, lost: number): boolean {
  const percent = (lost * 100) / WINDOW;
  return stale ? percent >= LEAVE_BELOW_PERCENT : percent > ENTER_ABOVE_PERCENT;
}
