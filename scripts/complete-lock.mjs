// npm leaves optional platform packages that a registry lacks out of the lock, and `npm ci` then stops with
// "Missing ... from lock file". This adds them from each parent's optionalDependencies.
//   node scripts/complete-lock.mjs          writes package-lock.json
//   node scripts/complete-lock.mjs --check  lists what is missing, exit 1 if anything is
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCK = fileURLToPath(new URL('../package-lock.json', import.meta.url));

const OS_OF_TOKEN = {
  aix: 'aix',
  android: 'android',
  darwin: 'darwin',
  macos: 'darwin',
  freebsd: 'freebsd',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  sunos: 'sunos',
  linux: 'linux',
  linuxmusl: 'linux',
  openharmony: 'openharmony',
  win32: 'win32',
  windows: 'win32',
};
const CPU_OF_TOKEN = {
  x64: 'x64',
  amd64: 'x64',
  arm64: 'arm64',
  aarch64: 'arm64',
  arm: 'arm',
  armv7: 'arm',
  ia32: 'ia32',
  i686: 'ia32',
  ppc64: 'ppc64',
  ppc64le: 'ppc64',
  s390x: 's390x',
  riscv64: 'riscv64',
  riscv64gc: 'riscv64',
  loong64: 'loong64',
  mips64el: 'mips64el',
  wasm32: 'wasm32',
  wasm: 'wasm32',
};
const LIBC_OF_TOKEN = {
  gnu: 'glibc',
  gnueabihf: 'glibc',
  glibc: 'glibc',
  musl: 'musl',
  musleabihf: 'musl',
  linuxmusl: 'musl',
};

/** The platform a package's name announces: `@x/binding-linux-arm64-gnu` -> os linux, cpu arm64, libc glibc. */
function platformOf(name) {
  const tokens = name.split('/').at(-1).split(/[-_.]/);
  const first = (table) => tokens.map((token) => table[token]).find((value) => value !== undefined);
  const fields = { os: first(OS_OF_TOKEN), cpu: first(CPU_OF_TOKEN), libc: first(LIBC_OF_TOKEN) };
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value)
      .map(([key, value]) => [key, [value]]),
  );
}

/** The folders in which node would look for a dependency of the package at `path`, nearest first. */
function lookupPaths(path, name) {
  const paths = [];
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/node_modules/') + 1).replace(/\/$/, '')) {
    paths.push(at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`);
    if (!at.includes('/node_modules/')) break;
  }
  if (path !== '') paths.push(`node_modules/${name}`);
  return [...new Set(paths)];
}

/** Where the lock holds that dependency, or where it has to be added: at the root if that place is free. */
function placeOf(packages, added, path, name, version) {
  const exact = /^\d/.test(version);
  for (const candidate of lookupPaths(path, name)) {
    const held = packages[candidate] ?? added.get(candidate);
    if (held) return !exact || held.version === version ? null : `${path}/node_modules/${name}`;
  }
  return `node_modules/${name}`;
}

/** Every optional dependency that some package in the lock names and the lock does not hold. */
export function missingEntries({ packages }) {
  const missing = new Map();
  for (const [path, parent] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const platform = platformOf(name);
      const place = placeOf(packages, missing, path, name, version);
      if (place === null || !(platform.os || platform.cpu)) continue;
      const dev = parent.dev ? { dev: true } : {};
      missing.set(place, { version: version.replace(/^[\^~=]/, ''), ...platform, ...dev, optional: true });
    }
  }
  return missing;
}

function main() {
  const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
  const missing = missingEntries(lock);
  if (process.argv.includes('--check')) {
    for (const path of missing.keys()) console.error(`missing from package-lock.json: ${path}`);
    process.exit(missing.size === 0 ? 0 : 1);
  }
  if (missing.size === 0) return;
  const { '': root, ...rest } = { ...lock.packages, ...Object.fromEntries(missing) };
  const sorted = Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
  lock.packages = { '': root, ...sorted };
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
  console.error(`package-lock.json: ${missing.size} platform packages added`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
