import { clockJumpText, watchClockJumps } from '../../adapters/clock/jump-watch.ts';
import { followingClock } from '../../adapters/clock/market-clock.ts';
import { systemClock } from '../../adapters/clock/system-clock.ts';
import { parseCommandLine } from '../../adapters/config/arguments.ts';
import { loadYaml } from '../../adapters/config/load-yaml.ts';
import { orderKeyOf } from '../../adapters/keys/key-source.ts';
import { openSunSpecBattery } from '../../adapters/modbus/sunspec-battery.ts';
import { openSunSpecInverter } from '../../adapters/modbus/sunspec-inverter.ts';
import { openSunSpecMeter } from '../../adapters/modbus/sunspec-meter.ts';
import { connectMqttBus } from '../../adapters/mqtt/mqtt-bus.ts';
import { type GatewayConfig, gatewayConfig } from './gateway-config.ts';
import { run } from './run.ts';

const COMMAND = {
  name: 'gateway',
  summary: "Runs one home's edge: meters to Sparkplug B, forecast and orders, set-points.",
  options: {
    config: { kind: 'text', value: 'FILE', default: '/etc/energy-logic/gateway.yaml', help: 'the configuration' },
    json: { kind: 'flag', help: 'messages as JSON, one object a line' },
  },
} as const;

/** `gateway`: messages on standard error. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(COMMAND, argv);
  if (line.kind === 'help') return say(process.stdout, line.text, 0);
  if (line.kind === 'refusal') return say(process.stderr, `${line.message}\n`, 2);
  const { config, json } = line.options;
  const log = (text: string) => void process.stderr.write(`${json ? JSON.stringify({ message: text }) : text}\n`);
  await supervise(loadYaml(config, gatewayConfig), log);
  return 0;
}

/** Runs until a signal. */
async function supervise(config: GatewayConfig, log: (text: string) => void): Promise<void> {
  const { market, member, broker: url, modbus, agent } = config;
  const { host, port, timeout_ms: timeoutMs, meter, inverter, battery } = modbus;
  const signal = untilSignal();
  const wall = systemClock();
  const clock = followingClock(wall);
  const endWatch = watchClockJumps(wall, (jumpMs) => log(clockJumpText(jumpMs)));
  const bus = await connectMqttBus({ url, clientId: `gateway-${market}-${member}` });
  const starting = run(config, {
    bus,
    openBus: (will) => connectMqttBus({ url, clientId: `edge-${market}-${member}`, will }),
    devices: {
      meter: openSunSpecMeter({ host, port, timeoutMs, unit: meter.unit }),
      inverter: inverter === undefined ? null : openSunSpecInverter({ host, port, timeoutMs, unit: inverter.unit }),
      battery: battery === undefined ? null : openSunSpecBattery({ host, port, timeoutMs, unit: battery.unit }),
    },
    clock,
    wall,
    key: agent === undefined ? null : orderKeyOf(agent.key, member),
    log,
  });
  const gateway = await Promise.race([starting, signal]);
  await signal;
  if (gateway !== undefined) await gateway.stop();
  endWatch();
  clock.stop();
  await bus.close();
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
}

function say(stream: NodeJS.WriteStream, text: string, code: number): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve(code)));
  });
}
