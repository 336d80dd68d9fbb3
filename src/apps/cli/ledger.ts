import { didYouMean } from '../../adapters/config/nearest-name.ts';
import { ledgerVerify } from './ledger-verify.ts';
import { EXIT, type Terminal } from './terminal.ts';

const USAGE = `Usage: p2p-cli ledger verify --interval I [options]

  verify  replay a clearing and compare it with the root that was signed

"p2p-cli ledger verify --help" tells more.
`;

/** `p2p-cli ledger ...`. @throws Fault as its commands do */
export async function ledger(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = argv;
  if (name === 'verify') return ledgerVerify(rest, terminal);
  if (name === '--help' || name === '-h') return terminal.out(USAGE).then(() => EXIT.ok);
  if (name === undefined) return terminal.err(USAGE).then(() => EXIT.usage);
  const message = `unknown command "ledger ${name}"${didYouMean(name, ['verify'])}\n${USAGE}`;
  return terminal.err(message).then(() => EXIT.usage);
}
