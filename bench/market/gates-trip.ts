import { MqttLink } from './doors-mqtt-link.ts';

const TRIPS = 50;
const TOPIC = 'bench/trip';

/** The shortest time that a message took through the broker, ms. */
export async function shortestTrip(url: string): Promise<number> {
  let arrived = () => {};
  const link = await MqttLink.open(url, 'load-trip', () => arrived());
  await link.subscribe(TOPIC);
  let shortest = Number.POSITIVE_INFINITY;
  for (let trip = 0; trip < TRIPS; trip += 1) {
    const back = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const from = performance.now();
    link.publish(TOPIC, '{}');
    await back;
    shortest = Math.min(shortest, performance.now() - from);
  }
  link.close();
  return shortest;
}
