import type { z } from 'zod';
import type { BusMessage, DeviceBus } from '../../domain/ports.ts';

/** The message of a topic, or null where it is not what the schema says. */
export function decodeJson<T>(schema: z.ZodType<T>, { payload }: Pick<BusMessage, 'payload'>): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(payload).toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Publishes at QoS 1. */
export function publishJson(
  bus: Pick<DeviceBus, 'publish'>,
  topic: string,
  message: unknown,
  retain = false,
): Promise<void> {
  return bus.publish(topic, Buffer.from(JSON.stringify(message)), { qos: 1, retain });
}

/** Subscribes at QoS 1; what is not a message of that schema never reaches the listener, and `onMalformed` is told. */
export function subscribeJson<T>(
  bus: DeviceBus,
  filter: string,
  schema: z.ZodType<T>,
  listener: (message: T, topic: string) => void,
  onMalformed: (topic: string) => void = () => {},
): Promise<void> {
  return bus.subscribe(filter, 1, (raw) => {
    const message = decodeJson(schema, raw);
    if (message === null) onMalformed(raw.topic);
    else listener(message, raw.topic);
  });
}
