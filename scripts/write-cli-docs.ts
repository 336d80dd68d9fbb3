import { mkdirSync, writeFileSync } from 'node:fs';
import { commandReference } from './cli-docs.ts';

const FILE = new URL('../docs/reference/cli.md', import.meta.url);

mkdirSync(new URL('.', FILE), { recursive: true });
writeFileSync(FILE, await commandReference());
