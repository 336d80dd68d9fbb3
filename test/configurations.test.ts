import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCommunity } from '../src/adapters/config/community.ts';
import { loadYaml } from '../src/adapters/config/load-yaml.ts';
import { engineConfig } from '../src/apps/engine/engine-config.ts';
import { gatewayConfig } from '../src/apps/gateway/gateway-config.ts';
import { loadRelayFile } from '../src/apps/relay/relay-config.ts';
import { ROOT, readText } from './house/tree.ts';

const example = (name: string) => join(ROOT, 'examples/production', name);

test('the example files of engine, gateway and relay are read and belong together', () => {
  const engine = loadYaml(example('engine.yaml'), engineConfig);
  const gateway = loadYaml(example('gateway.yaml'), gatewayConfig);
  const relay = loadRelayFile(example('relay.yaml'));
  expect(new Set([engine.market, gateway.market, relay.market]).size).toBe(1);
  expect(engine.members.map(({ id }) => id)).toEqual(expect.arrayContaining([gateway.member, relay.member]));
  expect([gateway.chain_id, gateway.gate_lead_s, gateway.timezone]).toEqual([
    engine.ledger.chain_id,
    engine.gate_lead_s,
    engine.timezone,
  ]);
});

test('the example files use keystores and real time, nothing of the simulated street', () => {
  const engine = loadYaml(example('engine.yaml'), engineConfig);
  const gateway = loadYaml(example('gateway.yaml'), gatewayConfig);
  expect(engine.keys).toHaveProperty('keystore');
  expect(gateway.agent?.key).toHaveProperty('keystore');
  expect(engine.clock).toBeUndefined();
  expect(loadRelayFile(example('relay.yaml')).maximumSpeed).toBe(1);
});

test.each([
  ['docs/reference/configuration.md', 'src/apps/engine/engine-config.ts', /engineFile = z([\s\S]*?)\n}\);/],
  ['docs/reference/configuration.md', 'src/apps/gateway/gateway-config.ts', /gatewayFile = z([\s\S]*?)\n}\);/],
  ['docs/reference/configuration.md', 'src/apps/relay/relay-config.ts', /relayFile = z([\s\S]*?)\n}\);/],
  ['docs/reference/community.md', 'src/adapters/config/community.ts', /batterySchema = z([\s\S]*?)type CommunityFile/],
])('%s names every key of %s', (page, source, schema) => {
  const keys = keysIn(schema.exec(readText(source))?.[1] ?? '');
  expect(keys.length).toBeGreaterThan(10);
  const text = readText(page);
  expect(keys.filter((key) => !new RegExp(`\`(\\w+\\.)*${key}[.\`]`).test(text))).toEqual([]);
});

/** `key:` in front of a value, and the shorthand of `{ host, port, unit }`. */
function keysIn(schema: string): string[] {
  const named = [...schema.matchAll(/(?:^|[{,])\s*([a-z_]+):/gm)].map(([, key = '']) => key);
  const short = [...schema.matchAll(/strictObject\(\{([^}]*)\}\)/g)].flatMap(([, fields = '']) =>
    fields.split(',').map((field) => field.trim()),
  );
  const keys = [...named, ...short.filter((field) => /^[a-z_]+$/.test(field))];
  return [...new Set(keys)].filter((key) => key !== 'error' && key !== 'protocol');
}

test('the small example of the community page is what the schema reads', () => {
  const page = readText('docs/reference/community.md');
  const folder = mkdtempSync(join(tmpdir(), 'community-page-'));
  try {
    for (const [, name = '', text = ''] of page.matchAll(/^`([\w-]+\.(?:yaml|csv))`:\n\n```\w*\n([\s\S]*?)^```$/gm)) {
      writeFileSync(join(folder, name), text);
    }
    const community = loadCommunity(join(folder, 'community.yaml'));
    expect(community).toMatchObject({ intervals: 2, lengthMs: 900_000 });
    expect(community.members).toHaveLength(2);
    expect(community.tariffAt(1).importPrice).toBe(320_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
