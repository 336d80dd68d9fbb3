import { openCoilRelay } from '../../src/adapters/modbus/coil-relay.ts';
import { startModbusServer } from '../../src/adapters/modbus/modbus-server.ts';
import { simulatedRelay } from '../../src/sim/relay-simulator.ts';
import { relayBoard } from './relay-board.ts';
import { relayDriverSuite } from './relay-driver.suite.ts';

const CONTACT_MS = 50;

/** A clock that is moved by hand, so that the contact's time passes at once. */
function handClock() {
  let at = 0;
  return {
    now: () => at,
    settle: async () => {
      at += CONTACT_MS;
    },
  };
}

relayDriverSuite('simulator', async () => {
  const { now, settle } = handClock();
  const relay = simulatedRelay({ contactMs: CONTACT_MS, now });
  return {
    relay,
    settle,
    jam: () => relay.trouble('welded'),
    silence: async () => relay.trouble('silent'),
    close: async () => {},
  };
});

relayDriverSuite('Modbus coil', async () => {
  const { now, settle } = handClock();
  const contact = simulatedRelay({ contactMs: CONTACT_MS, now });
  const server = await startModbusServer({ host: '127.0.0.1', port: 0, image: relayBoard(contact) });
  const relay = openCoilRelay({
    host: '127.0.0.1',
    port: server.port,
    unit: 4,
    coil: 0,
    feedbackInput: 0,
    timeoutMs: 500,
  });
  return {
    relay,
    settle,
    jam: () => contact.trouble('welded'),
    silence: () => server.close(),
    close: async () => {
      await relay.close();
      await server.close();
    },
  };
});
