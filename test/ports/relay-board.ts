import type { RegisterImage } from '../../src/adapters/modbus/register-image.ts';
import type { SimulatedRelay } from '../../src/sim/relay-simulator.ts';

/** A relay board at unit 4: coil 0 commands, discrete input 0 is the auxiliary contact. */
export function relayBoard(contact: SimulatedRelay): RegisterImage {
  const refusal = (unit: number, address: number, count: number) => {
    if (unit !== 4) return 'no_unit' as const;
    return address === 0 && count === 1 ? null : ('illegal_address' as const);
  };
  return {
    readHolding: () => 'illegal_function',
    readDiscreteInputs: (unit, address, count) => refusal(unit, address, count) ?? [contact.contactClosed()],
    writeCoils: (unit, address, bits) => {
      const [closed] = bits;
      const refused = refusal(unit, address, bits.length);
      if (refused !== null || closed === undefined) return refused ?? 'illegal_value';
      void contact.command(closed);
      return 'ok';
    },
  };
}
