import { startEmbeddedBroker } from '../../src/adapters/mqtt/embedded-broker.ts';

/** The embedded broker in a process of its own, as the supervisor is one: prints its port, ends with its input. */
const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
console.log(JSON.stringify({ url: broker.url }));
process.stdin.resume().on('end', () => void broker.close());
