import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const NOT_OURS = new Set(['.git', 'node_modules', 'var', 'coverage']);

/** Every file of the project, relative to its root, in one order everywhere. */
export function projectFiles(folder = ROOT): string[] {
  return readdirSync(folder, { recursive: false, withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name) && !entry.name.endsWith('.log'))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? projectFiles(path) : [relative(ROOT, path).split(sep).join('/')];
    })
    .sort();
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function sizeOf(path: string): number {
  return statSync(join(ROOT, path)).size;
}

export function isCode(path: string): boolean {
  return /\.(ts|tsx|mjs|js)$/.test(path);
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path.startsWith('test/');
}

export function isDocument(path: string): boolean {
  return path.endsWith('.md');
}

/** Runs a rule over files and joins what it says, each line led by `path`. */
export function violations(
  paths: readonly string[],
  rule: (text: string, path: string) => readonly string[],
): string[] {
  return paths.flatMap((path) => rule(readText(path), path).map((message) => `${path}: ${message}`));
}
