import { join } from 'node:path';
import { followingClock } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import { subscribeJson } from '../../adapters/mqtt/json-topics.ts';
import { connectMqttBus } from '../../adapters/mqtt/mqtt-bus.ts';
import { clockMessage, marketTopic } from '../../adapters/mqtt/wire.ts';
import { writeStateFile } from '../../adapters/process/state-file.ts';
import { INTERVAL_LENGTHS, intervalAt, intervalEnd } from '../../domain/units/interval.ts';
import { planStreet } from '../../sim/homes/street-plan.ts';
import { type RunningHome, type StreetParts, startFeeder, startHome } from './home-wiring.ts';
import type { StreetConfig } from './street-config.ts';
import { openStreetWorld, type StreetWorld } from './street-world.ts';

export interface RunningStreet {
  readonly world: StreetWorld;
  stop(): Promise<void>;
}

/** All homes of a street and its feeder meter. They know the engine only by its messages. */
export async function run(
  config: StreetConfig,
  ports: { wall: WallTime; log(line: string): void },
): Promise<RunningStreet> {
  const { wall, log } = ports;
  const lengthMs = INTERVAL_LENGTHS['15m'];
  const plan = planStreet({ homes: config.homes, seed: config.seed });
  const clock = followingClock(wall);
  const bus = await connectMqttBus({ url: config.broker, clientId: `street-${config.market}` });
  await subscribeJson(bus, marketTopic(config.market, 'clock'), clockMessage, (anchor) => clock.follow(anchor));
  await clock.started;
  const world = openStreetWorld({
    plan,
    path: join(config.state, 'world.json'),
    start: config.start,
    firstDelivery: intervalEnd(intervalAt(config.start, lengthMs)),
    meterError: config.meter_error,
    now: () => clock.now(),
  });
  saveAtBoundaries(world, clock, lengthMs);
  const { tariff, timezone } = plan;
  const parts: StreetParts = { config, world, clock, wall, tariff, timezone, lengthMs, log };
  const homes: RunningHome[] = await Promise.all([
    startFeeder(parts),
    ...world.homes.map((home) => startHome(parts, home)),
  ]);
  const places = homes.map(({ name, devicesAt: { host, port } }) => [name, `${host}:${port}`]);
  writeStateFile(join(config.state, 'devices.json'), JSON.stringify(Object.fromEntries(places), null, 2));
  return {
    world,
    async stop() {
      await Promise.all(homes.map((home) => home.stop()));
      clock.stop();
      world.save();
      await bus.close();
    },
  };
}

/** Before any gateway reads a boundary, the world as it is then is on disk: no meter goes back over a crash. */
function saveAtBoundaries(world: StreetWorld, clock: ReturnType<typeof followingClock>, lengthMs: 900_000): void {
  const boundary = intervalEnd(intervalAt(clock.now(), lengthMs));
  clock.at(boundary, () => {
    world.save();
    saveAtBoundaries(world, clock, lengthMs);
  });
}
