import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readText } from './tree.ts';

const DEPENDENCY_KINDS = ['dependencies', 'optionalDependencies', 'devDependencies', 'peerDependencies'];

/** Every version is exact: what was tested is what runs. */
export function inexactVersions(manifest: Record<string, unknown>): string[] {
  return DEPENDENCY_KINDS.flatMap((kind) => Object.entries((manifest[kind] ?? {}) as Record<string, string>))
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name} ${version}: write the exact version`);
}

const FREE =
  /^(0BSD|Apache-2\.0|Artistic-2\.0|BlueOak-1\.0\.0|BSD|BSD-2-Clause|BSD-3-Clause|CC-BY-3\.0|CC-BY-4\.0|CC0-1\.0|EPL-2\.0|ISC|MIT|MIT-0|MPL-2\.0|Python-2\.0|Unlicense|WTFPL|Zlib)$/;

/** A licence expression under which we may ship: one branch of an OR is enough, all parts of an AND are needed. */
export function isFreeLicence(expression: string): boolean {
  const bare = expression.replace(/[()]/g, ' ').trim();
  return bare.split(/\s+OR\s+/i).some((branch) =>
    branch
      .trim()
      .split(/\s+AND\s+/i)
      .every((licence) => FREE.test(licence.trim().replace(/\*$/, ''))),
  );
}

/** Of every package that is installed: the name and the licence that its own manifest states. */
export function installedLicences(folder = join(ROOT, 'node_modules')): { name: string; licence: string }[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.name.startsWith('@') ? installedLicences(path) : licencesAt(path);
    });
}

function licencesAt(path: string): { name: string; licence: string }[] {
  const nested = join(path, 'node_modules');
  const below = existsSync(nested) ? installedLicences(nested) : [];
  const file = join(path, 'package.json');
  if (!existsSync(file)) return below;
  const manifest = JSON.parse(readText(file.slice(ROOT.length))) as ManifestLicence;
  return [{ name: manifest.name ?? path, licence: licenceOf(manifest) }, ...below];
}

interface ManifestLicence {
  readonly name?: string;
  readonly license?: string | { readonly type: string };
  readonly licenses?: readonly { readonly type: string }[];
}

function licenceOf({ license, licenses }: ManifestLicence): string {
  if (typeof license === 'string') return license;
  if (license !== undefined) return license.type;
  return licenses?.map(({ type }) => type).join(' OR ') ?? 'none stated';
}
