import { ceilToTick, floorToTick, type PricePerKwh } from './price.ts';

/** What the utility charges and pays in one interval. */
export interface Tariff {
  readonly importPrice: PricePerKwh;
  readonly exportPrice: PricePerKwh;
}

/** The prices an order may name: [export, import], edges rounded inward to the tick. */
export interface PriceBand {
  readonly lowest: PricePerKwh;
  readonly highest: PricePerKwh;
}

/** `tariff_inverted`: import <= export leaves nothing to gain by trading, so the product does not open. */
export type TariffRefusal = 'tariff_inverted';

/** The band of a product under that tariff, or why it does not open. `tick` in micro-currency per kWh. */
export function priceBand(tariff: Tariff, tick: number): PriceBand | TariffRefusal {
  if (tariff.importPrice <= tariff.exportPrice) return 'tariff_inverted';
  const band = { lowest: ceilToTick(tariff.exportPrice, tick), highest: floorToTick(tariff.importPrice, tick) };
  return band.lowest > band.highest ? 'tariff_inverted' : band;
}
