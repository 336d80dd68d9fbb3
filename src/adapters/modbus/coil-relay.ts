import type { RelayDriver } from '../../domain/ports.ts';
import { type LinkCounters, ModbusClient, type ModbusClientOptions } from './modbus-client.ts';

/** Where the switch of the export path sits: a coil that commands it and a discrete input with its auxiliary contact. */
export interface CoilRelayOptions extends ModbusClientOptions {
  readonly unit: number;
  readonly coil: number;
  readonly feedbackInput: number;
}

export interface CoilRelay extends RelayDriver {
  readonly counters: LinkCounters;
  close(): Promise<void>;
}

/**
 * The relay on a Modbus coil: command by function 5, feedback by function 2 from the contact itself and never from the
 * coil, which only repeats the command. Both fail with MODBUS_* faults. Closing the link does not move the contact.
 */
export function openCoilRelay(options: CoilRelayOptions): CoilRelay {
  const { unit, coil, feedbackInput, ...link } = options;
  const client = new ModbusClient(link);
  return {
    command: (closed) => client.writeCoil(unit, coil, closed),
    feedback: async () => (await client.readBits(unit, 'discrete', feedbackInput, 1))[0] === true,
    get counters() {
      return client.counters;
    },
    close: () => client.close(),
  };
}
