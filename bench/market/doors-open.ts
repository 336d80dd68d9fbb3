import { HttpLink } from './doors-http-link.ts';
import { DOOR_MARKET, type LoadMembers } from './doors-members.ts';
import { MqttLink } from './doors-mqtt-link.ts';
import type { ReadyOrder } from './doors-orders.ts';

/** One way into the engine. */
export interface LoadDoor {
  readonly connections: number;
  /** Resolves when the answer is there; true: accepted. */
  send(order: ReadyOrder): Promise<boolean>;
  close(): void;
}

const HTTP_OK = 200;

/** A connection of its own for every member; a member's requests go one after the other. */
export async function openHttpLoad(url: string, { ids }: LoadMembers): Promise<LoadDoor> {
  const links = await Promise.all(ids.map(() => HttpLink.open(url)));
  const last: Promise<unknown>[] = [];
  return {
    connections: links.length,
    send({ member, json }) {
      const link = links[member];
      if (link === undefined) throw new Error(`there is no member ${member}`);
      const body = `{"member":"${ids[member]}",${json.slice(1)}`;
      const answer = (last[member] ?? Promise.resolve()).then(() => link.post('/api/v1/orders', body));
      last[member] = answer;
      return answer.then((status) => status === HTTP_OK);
    },
    close: () => links.forEach((link) => void link.close()),
  };
}

/** So many members share a connection, as the gateways of a house with one uplink do. */
export async function openMqttLoad(url: string, { ids }: LoadMembers, membersPerLink: number): Promise<LoadDoor> {
  const waiting = new Map<string, (isAccepted: boolean) => void>();
  const take = (topic: string, payload: Buffer) => {
    const { clientOrderId, ok } = JSON.parse(payload.toString('latin1')) as { clientOrderId: number; ok: boolean };
    const key = `${topic.slice(topic.lastIndexOf('/') + 1)}/${clientOrderId}`;
    waiting.get(key)?.(ok);
    waiting.delete(key);
  };
  const links = await openLinks(url, ids, membersPerLink, ['reply'], take);
  return {
    connections: links.length,
    send({ member, clientOrderId, json }) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      waiting.set(`${ids[member]}/${clientOrderId}`, resolve);
      links[Math.floor(member / membersPerLink)]?.publish(`el/v1/${DOOR_MARKET}/order/${ids[member]}`, json);
      return promise;
    },
    close: () => links.forEach((link) => void link.close()),
  };
}

/** Connections that listen for messages of those kinds to their members. */
export async function openLinks(
  url: string,
  ids: LoadMembers['ids'],
  membersPerLink: number,
  kinds: readonly string[],
  listener: (topic: string, payload: Buffer) => void,
): Promise<MqttLink[]> {
  const links: MqttLink[] = [];
  for (let first = 0; first < ids.length; first += membersPerLink) {
    const link = await MqttLink.open(url, `load-${first}`, listener);
    const own = ids.slice(first, first + membersPerLink);
    await link.subscribe(...own.flatMap((id) => kinds.map((kind) => `el/v1/${DOOR_MARKET}/${kind}/${id}`)));
    links.push(link);
  }
  return links;
}
