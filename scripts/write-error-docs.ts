import { mkdirSync, writeFileSync } from 'node:fs';
import { errorReference } from './error-docs.ts';

const FILE = new URL('../docs/reference/errors.md', import.meta.url);

mkdirSync(new URL('.', FILE), { recursive: true });
writeFileSync(FILE, errorReference());
