import type { WallTime } from '../../adapters/clock/system-clock.ts';
import { connectMqttBus } from '../../adapters/mqtt/mqtt-bus.ts';
import { openHostSession } from '../../adapters/sparkplug/host-session.ts';
import type { EngineConfig } from './engine-config.ts';
import type { HomeBoard } from './home-board.ts';
import type { RollCall } from './roll-call.ts';

/** What the homes and the feeder say of themselves goes to the board; who is there, to the roll. Returns how to stop. */
export async function listenToHomes(
  { broker: url, market: group, host_id: hostId, members, feeder }: EngineConfig,
  wall: WallTime,
  board: HomeBoard,
  roll: RollCall,
): Promise<() => Promise<void>> {
  const host = await openHostSession({
    openBus: (will) => connectMqttBus({ url, clientId: `host-${group}`, will }),
    ...{ group, hostId },
    now: () => wall.wallNow(),
    nodes: [...members.map(({ id }) => id), feeder],
  });
  host.onMetric((event) => board.take(event, wall.wallNow()));
  host.onNode(({ node, online }) => {
    board.setOnline(node, online);
    roll.setOnline(node, online);
  });
  return () => host.close();
}
