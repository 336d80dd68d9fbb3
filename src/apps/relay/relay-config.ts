import { z } from 'zod';
import { loadYaml } from '../../adapters/config/load-yaml.ts';
import { ed25519Verifier } from '../../adapters/keys/ed25519.ts';
import { GRID_CODES, gridCode } from '../../domain/grid/grid-codes.ts';
import { isIdentifier, type MarketId, type MemberId } from '../../domain/units/identity.ts';

/** What the interlock of one relay needs to know. All times but `delayMs` are wall time. */
export interface RelayConfig {
  readonly market: MarketId;
  readonly member: MemberId;
  /** Ed25519, 32 bytes as hex: leases and heartbeats count only with its signature. */
  readonly enginePublicKey: string;
  /** The name of a grid code. */
  readonly gridCode: string;
  readonly nominalMilliV: number;
  /** Enter-service delay, market time; null: that of the grid code. */
  readonly delayMs: number | null;
  readonly tickMs: number;
  readonly pollMs: number;
  /** What the contact may take to follow a command. */
  readonly contactMs: number;
  /** How fast market time may run: 1 but in simulation. A clock message that says more is refused. */
  readonly maximumSpeed: number;
}

/** The times that suit a contactor and a Modbus meter. */
export const RELAY_TIMES = { delayMs: null, tickMs: 200, pollMs: 500, contactMs: 500, maximumSpeed: 1 } as const;

/** A relay process of its own: the above, and where its broker, meter and relay are. */
export interface RelayFile extends RelayConfig {
  readonly broker: string;
  readonly meter: { readonly host: string; readonly port: number; readonly unit: number };
  readonly relay: {
    readonly host: string;
    readonly port: number;
    readonly unit: number;
    readonly coil: number;
    readonly input: number;
  };
}

const identifier = z.string().refine(isIdentifier, 'must be lower case letters, digits and "-", at most 32');
const unit = z.int().min(0).max(255);
const address = z.int().min(0).max(65_535);
const modbusPort = z.int().min(1).max(65_535).default(502);
const host = z.string().min(1);

const relayFile = z.strictObject({
  market: identifier.transform((text) => text as MarketId),
  member: identifier.transform((text) => text as MemberId),
  broker: z.string().regex(/^mqtt:\/\/./, 'must be mqtt://host:port'),
  engine_public_key: z
    .string()
    .refine((text) => ed25519Verifier(text) !== null, 'must be 0x and 64 lower-case hex digits'),
  grid_code: z.string().refine((name) => gridCode(name) !== null, {
    error: `must be one of ${GRID_CODES.map((code) => code.name).join(', ')}`,
  }),
  nominal_voltage: z.int().min(50).max(1_000),
  enter_service_delay_s: z.int().min(0).max(600).optional(),
  tick_ms: z.int().min(50).max(1_000).default(RELAY_TIMES.tickMs),
  poll_ms: z.int().min(50).max(5_000).default(RELAY_TIMES.pollMs),
  contact_ms: z.int().min(10).max(5_000).default(RELAY_TIMES.contactMs),
  maximum_speed: z.int().min(1).max(100_000).default(RELAY_TIMES.maximumSpeed),
  meter: z.strictObject({ host, port: modbusPort, unit }),
  relay: z.strictObject({ host, port: modbusPort, unit, coil: address, input: address }),
});

/** @throws Fault FILE_UNREADABLE, CONFIG_INVALID with file, line and column */
export function loadRelayFile(path: string): RelayFile {
  const file = loadYaml(path, relayFile);
  const { market, member, broker, meter, relay } = file;
  return {
    market,
    member,
    broker,
    meter,
    relay,
    enginePublicKey: file.engine_public_key,
    gridCode: file.grid_code,
    nominalMilliV: file.nominal_voltage * 1000,
    delayMs: file.enter_service_delay_s === undefined ? null : file.enter_service_delay_s * 1000,
    tickMs: file.tick_ms,
    pollMs: file.poll_ms,
    contactMs: file.contact_ms,
    maximumSpeed: file.maximum_speed,
  };
}
