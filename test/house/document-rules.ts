import { existsSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { ROOT, readText } from './tree.ts';

/** One `# Title` a document, on its first line. */
export function oneTitle(text: string): string[] {
  const titles = withoutFences(text)
    .split('\n')
    .filter((line) => line.startsWith('# '));
  if (titles.length !== 1)
    return [`${titles.length} lines start with "# ": a document has one title, sections start with ##`];
  return text.startsWith('# ') ? [] : ['the first line is not the title'];
}

/** Links inside the project: the file exists, and where an anchor is named, so does its heading. */
export function brokenLinks(text: string, path: string): string[] {
  return linksOf(text).flatMap((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : posix.normalize(`${dirname(path)}/${decodeURI(file)}`);
    if (!existsSync(join(ROOT, target))) return [`link to ${link}: there is no ${target}`];
    if (anchor === undefined || !target.endsWith('.md')) return [];
    return anchorsOf(readText(target)).has(anchor) ? [] : [`link to ${link}: ${target} has no such heading`];
  });
}

function linksOf(text: string): string[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/(?:\]\(|(?:href|src|srcset)=")([^)\s"]+)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The anchors that a reader's browser gets: of headings, and of explicit `<a id="...">`. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6}\s+(.+)$/gm)) {
    const slug = slugOf(heading);
    let unique = slug;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${slug}-${count}`;
    anchors.add(unique);
  }
  for (const [, id = ''] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

const MENTION = /`((?:\.ci|bench|bin|contracts|deploy|docs|examples|scripts|src|test|web)\/[\w./-]+)`/g;

/** Paths in backticks are promises too. Patterns with `*`, `<name>` or NAME are not looked up. */
export function missingMentions(text: string): string[] {
  return [...withoutFences(text).matchAll(MENTION)]
    .map((match) => match[1] ?? '')
    .filter((path) => !/NAME/.test(path) && !existsSync(join(ROOT, path)))
    .map((path) => `mentions \`${path}\`, which is not there`);
}

const ROOM_PARTS = ['Words', 'Invariants', 'Standard'];

/** A room's README: 8 to 30 lines that open with its purpose and have the same three parts everywhere. */
export function roomReadme(text: string): string[] {
  const lines = text.trimEnd().split('\n').length;
  const length = lines < 8 || lines > 30 ? [`${lines} lines, a room's README has 8 to 30`] : [];
  const missing = ROOM_PARTS.filter((part) => !new RegExp(`^(\\*\\*|## )?${part}\\b`, 'm').test(text));
  return [...length, ...missing.map((part) => `a paragraph that starts with "${part}" is missing`)];
}

function withoutFences(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1\s*$/gm, '');
}

export interface RunnableBlock {
  readonly line: number;
  readonly script: string;
}

/** The blocks that open with ```sh run: what they show is executed. */
export function runnableBlocks(text: string): RunnableBlock[] {
  return [...text.matchAll(/^```sh run\s*\n([\s\S]*?)^```\s*$/gm)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length,
    script: match[1] ?? '',
  }));
}
