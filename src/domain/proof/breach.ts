/**
 * What a clearing can be found to be, if not honest. malformed: it could not come from any engine. parameters_differ:
 * other rules or members than were signed. order_omitted: a command with a signed receipt is not in the log.
 * order_invented: no member signed it. reordered: it stands in another place than its receipt says, or places do not
 * rise. verdict_differs, price_differs, trades_differ, fate_differs: the replay says something else. chain_broken: a
 * receipt names another one before it. root_differs: the content is not what the root was made of. signature_wrong: the
 * engine did not sign it.
 */
export const BREACHES = [
  'malformed',
  'parameters_differ',
  'order_omitted',
  'order_invented',
  'reordered',
  'verdict_differs',
  'price_differs',
  'trades_differ',
  'fate_differs',
  'chain_broken',
  'root_differs',
  'signature_wrong',
] as const;

export interface Breach {
  readonly breach: (typeof BREACHES)[number];
  /** Of the command where it shows; null: it is not about one command. */
  readonly sequence: number | null;
  /** One clause, for people. */
  readonly detail: string;
}
