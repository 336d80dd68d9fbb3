/** The diagnostic of the whole stack. It comes with a later release; until then it says so. */
export async function main(_argv: readonly string[]): Promise<number> {
  console.error('p2p-audit is not built yet.');
  return 3;
}
