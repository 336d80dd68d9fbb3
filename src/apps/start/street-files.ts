import { join } from 'node:path';
import { stringify } from 'yaml';
import { demoLeaseKey, demoOrderKey } from '../../adapters/keys/demo-keys.ts';
import { ed25519Signer } from '../../adapters/keys/ed25519.ts';
import { addressOf } from '../../adapters/keys/secp256k1-signer.ts';
import { writeStateFile } from '../../adapters/process/state-file.ts';
import { formatPrice } from '../../domain/units/price.ts';
import { planStreet } from '../../sim/homes/street-plan.ts';

/** What `npm start` was asked for, and where its parts listen. */
export interface StreetSettings {
  readonly homes: number;
  readonly seed: number;
  readonly speed: number;
  readonly interlock: boolean;
  readonly host: string;
  readonly port: number;
  readonly portOrNext: number;
  readonly state: string;
  readonly cache: string;
  readonly meterError: { readonly home: string; readonly wh: number } | null;
  readonly brokerUrl: string;
  readonly ledgerUrl: string;
}

export const MARKET = 'elm-street';
export const CHAIN_ID = 31337;
const FEEDER = 'feeder';
/** 10:54 in the street's time zone, six minutes before a delivery: the relays' enter-service delay is five. */
const START = '2026-06-21T08:54Z';
const TICK = 100;
/** A house connection of 3 x 63 A. */
const CONNECTION_W = 43_000;

/** The ordinary configuration files of an engine and a street, as an operator would write them. */
export function writeStreetFiles(settings: StreetSettings): { readonly engine: string; readonly street: string } {
  const engine = join(settings.state, 'engine.yaml');
  const street = join(settings.state, 'street.yaml');
  writeStateFile(engine, stringify(engineFile(settings)));
  writeStateFile(street, stringify(streetFile(settings)));
  return { engine, street };
}

function engineFile(settings: StreetSettings) {
  const { seed, homes, state, host } = settings;
  const plan = planStreet({ homes, seed });
  return {
    market: MARKET,
    name: 'Elm Street',
    currency: 'EUR',
    timezone: plan.timezone,
    interval: '15m',
    tick: formatPrice(TICK as never),
    tariff: {
      import_per_kwh: formatPrice(plan.tariff.importPrice),
      export_per_kwh: formatPrice(plan.tariff.exportPrice),
    },
    state: join(state, 'engine'),
    broker: settings.brokerUrl,
    http: { host, port: settings.port, port_or_next: settings.portOrNext },
    ledger: { rpc: settings.ledgerUrl, chain_id: CHAIN_ID, embedded: true, cache: settings.cache },
    keys: { demo_seed: seed },
    clock: { speed: settings.speed, start: START },
    interlock: settings.interlock,
    feeder: FEEDER,
    members: plan.homes.map(({ id, pv, battery }) => ({
      id,
      address: addressOf(demoOrderKey(seed, id)),
      export_capability_w: (pv?.peak ?? 0) + (battery?.power ?? 0),
      connection_w: CONNECTION_W,
    })),
  };
}

function streetFile(settings: StreetSettings) {
  const { seed, homes, state, speed, interlock, host, meterError } = settings;
  return {
    market: MARKET,
    feeder: FEEDER,
    homes,
    seed,
    broker: settings.brokerUrl,
    chain_id: CHAIN_ID,
    engine_public_key: ed25519Signer(demoLeaseKey(seed, 'engine')).publicKey,
    state: join(state, 'street'),
    start: START,
    speed,
    tick: TICK,
    interlock,
    grid_code: 'ieee1547-2018-cat2-50hz',
    host,
    ...(meterError === null ? {} : { meter_error: meterError }),
  };
}
