import { PayloadEncoder } from '../../src/adapters/sparkplug/payload.ts';
import { nodeTopic } from '../../src/adapters/sparkplug/topics.ts';
import { BD_SEQ } from '../../src/adapters/sparkplug/vocabulary.ts';
import { DOOR_MARKET } from './doors-members.ts';
import type { MqttLink } from './doors-mqtt-link.ts';

const AT_ALL_TIMES = 4_000_000_000_000;

/**
 * A market under acceleration waits at its start until its homes are there, and then at every boundary for the meters of
 * those that are. So they come, and when the market runs they go: what is measured is the market, not meters.
 */
export async function comeAndGo(link: MqttLink, ids: readonly string[], started: Promise<void>): Promise<void> {
  const session = { name: BD_SEQ, type: 'Int64', withType: true, value: 0 } as const;
  const encoder = new PayloadEncoder();
  const [birth, death] = [{ seq: 0 }, {}].map((life) =>
    Buffer.from(encoder.encode({ timestamp: Date.now(), ...life, metrics: [session] })),
  ) as [Buffer, Buffer];
  const homes = [...ids, 'feeder'];
  const ready = Buffer.from(JSON.stringify({ at: AT_ALL_TIMES }));
  for (const home of homes) {
    link.publish(nodeTopic(DOOR_MARKET, 'NBIRTH', home), birth);
    link.publish(`el/v1/${DOOR_MARKET}/ready/${home}`, ready);
  }
  await started;
  for (const home of homes) link.publish(nodeTopic(DOOR_MARKET, 'NDEATH', home), death);
}
