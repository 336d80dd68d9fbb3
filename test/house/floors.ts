import { dirname, posix } from 'node:path';
import { plainCode } from './plain-code.ts';

/**
 * What a room of the domain may import beside itself: a room, or one file of it. The numbers and the shapes of `units`
 * are open to all; `safety` stands alone, so that it can be read, tested and true alone.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  units: [],
  metering: ['units'],
  forecast: ['units'],
  grid: ['units'],
  safety: ['units'],
  market: ['units', 'grid'],
  dispatch: ['units', 'forecast', 'metering', 'grid', 'market/order.ts'],
  settlement: ['units', 'metering', 'grid', 'market'],
  proof: ['units', 'market', 'engine/command.ts', 'ports.ts'],
};

/** These join the rooms: the table of the ten stages, the ports, the engine's state machine. */
const ABOVE_ALL_ROOMS = ['interval-cycle.ts', 'ports.ts', 'engine'];

const STREET_MAY_IMPORT = ['src/apps/gateway/run.ts', 'src/apps/relay/run.ts'];

/** Every import of `path` that goes against the floors of the house, with what to do instead. */
export function floorViolations(text: string, path: string): string[] {
  return importsOf(text).flatMap((specifier) => {
    const message = specifier.startsWith('.') ? wrongFloor(path, resolve(path, specifier)) : foreign(path, specifier);
    return message === null ? [] : [`imports ${specifier}: ${message}`];
  });
}

/** Every specifier: import, type import, re-export, dynamic import. */
export function importsOf(text: string): string[] {
  const code = plainCode(text);
  const found: string[] = [];
  for (const match of text.matchAll(/\b(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1/g)) {
    const isKeyword = /[a-z]/.test(code[match.index] ?? ' ');
    if (isKeyword && match[2] !== undefined) found.push(match[2]);
  }
  return found;
}

function resolve(path: string, specifier: string): string {
  return posix.normalize(`${dirname(path)}/${specifier}`);
}

function foreign(path: string, specifier: string): string | null {
  if (!/^src\/(domain|errors)\//.test(path)) return null;
  return `no package and no ${specifier.startsWith('node:') ? 'node: module' : 'npm code'} here: declare a port, implement it in src/adapters`;
}

function wrongFloor(path: string, target: string): string | null {
  const [, floor = ''] = path.split('/');
  const [top, below = '', folder = ''] = target.split('/');
  if (path.startsWith('src/') && top !== 'src') return 'src imports src only; move the shared part into src';
  if (floor === 'domain') return below === 'domain' ? wrongRoom(path, target) : 'the domain imports the domain only';
  if (floor === 'errors') return ['domain', 'errors'].includes(below) ? null : 'errors import types of the domain only';
  if (floor === 'adapters' || floor === 'sim') return wrongNeighbour(path, target);
  if (floor !== 'apps' || below !== 'apps' || folder === path.split('/')[2]) return null;
  if (path.startsWith('src/apps/street/') && STREET_MAY_IMPORT.includes(target)) return null;
  return 'apps never import each other: move the shared part to src/domain or src/adapters';
}

function wrongRoom(path: string, target: string): string | null {
  const from = path.split('/')[2] ?? '';
  const [, , to = '', ...file] = target.split('/');
  if (from === to || ABOVE_ALL_ROOMS.includes(from)) return null;
  const allowed = ROOMS[from];
  if (allowed === undefined)
    return `the room ${from} is not in the table of test/house/floors.ts: add it with its neighbours`;
  if (allowed.includes(to) || allowed.includes(`${to}/${file.join('/')}`)) return null;
  return `${from} may import ${allowed.join(', ') || 'nothing'}: take the value as an argument, or move the shape to units`;
}

function wrongNeighbour(path: string, target: string): string | null {
  const [, floor, folder] = path.split('/');
  const [, below = '', neighbour] = target.split('/');
  if (below === 'domain' || below === 'errors') return null;
  const isOwn = below === floor && (floor === 'sim' || neighbour === folder);
  return isOwn ? null : 'adapters and sim import domain, errors and their own folder; join two of them in src/apps';
}
