/** What a client sent to its broker, packet by packet: enough of MQTT 3.1.1 to see what a subscriber cannot. */
export type SentPacket =
  | { readonly kind: 'connect'; readonly clientId: string; readonly clean: boolean; readonly will: SentWill | null }
  | { readonly kind: 'publish'; readonly topic: string; readonly qos: number; readonly retain: boolean }
  | { readonly kind: 'subscribe'; readonly filter: string; readonly qos: number }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'other' };

export interface SentWill {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
}

/** The packets of one connection. What is not yet complete at the end is left out. */
export function packetsOf(bytes: Buffer): SentPacket[] {
  const packets: SentPacket[] = [];
  let at = 0;
  while (at + 1 < bytes.length) {
    let length = 0;
    let start = at + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[start] ?? 0;
      length += (byte & 0x7f) << shift;
      start += 1;
      if (byte < 0x80) break;
    }
    if (start + length > bytes.length) break;
    packets.push(packetOf(bytes.readUInt8(at), bytes.subarray(start, start + length)));
    at = start + length;
  }
  return packets;
}

function packetOf(header: number, body: Buffer): SentPacket {
  const kind = header >> 4;
  if (kind === 1) return connectOf(body);
  if (kind === 3)
    return { kind: 'publish', topic: field(body, 0).toString(), qos: (header >> 1) & 3, retain: (header & 1) === 1 };
  if (kind === 8) {
    const filter = field(body, 2);
    return { kind: 'subscribe', filter: filter.toString(), qos: body.readUInt8(4 + filter.length) };
  }
  return kind === 14 ? { kind: 'disconnect' } : { kind: 'other' };
}

function connectOf(body: Buffer): SentPacket {
  const flags = body.readUInt8(7);
  const clientId = field(body, 10);
  const topic = 12 + clientId.length;
  const clean = (flags & 2) !== 0;
  if ((flags & 4) === 0) return { kind: 'connect', clientId: clientId.toString(), clean, will: null };
  const willTopic = field(body, topic);
  const payload = field(body, topic + 2 + willTopic.length);
  const will = { topic: willTopic.toString(), payload, qos: (flags >> 3) & 3, retain: (flags & 0x20) !== 0 };
  return { kind: 'connect', clientId: clientId.toString(), clean, will };
}

function field(body: Buffer, at: number): Buffer {
  return body.subarray(at + 2, at + 2 + body.readUInt16BE(at));
}
