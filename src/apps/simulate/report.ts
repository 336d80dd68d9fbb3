import { formatDecimal } from '../../domain/units/decimal.ts';
import { billOf, type Kpis } from './kpis.ts';
import type { Simulation } from './run.ts';

/** The KPIs for people: cents, kWh and per cent. `forecast cost`: against the same run with a perfect forecast. */
export function reportOf(name: string, currency: string, kpis: Kpis, simulation: Simulation): string {
  const { energy, bills, price, feederPeakImportW: peak, selfSufficiency, selfConsumption } = kpis;
  const money = (text: string) => `${cents(text)} ${currency}`;
  const rows: [string, string, string][] = [
    ['', 'each alone', 'as a community'],
    ['bills', money(bills.baseline), money(bills.community)],
    ['saving', '', `${money(bills.saving)} (${percent(bills.savingRatio)})`],
    ['community account', '', money(bills.communityAccount)],
    ['self-sufficiency', percent(selfSufficiency.own), percent(selfSufficiency.community)],
    ['self-consumption', percent(selfConsumption.own), percent(selfConsumption.community)],
    ['feeder peak import', kilowatts(peak.baseline), kilowatts(peak.community)],
    ['feeder import, export', '', `${kilowattHours(energy.importWh)}, ${kilowattHours(energy.exportWh)}`],
    ['traded, balanced', '', `${kilowattHours(energy.tradedWh)}, ${kilowattHours(energy.balancedWh)}`],
    ['local price', '', priceText(price, currency)],
    ['worse off than alone', '', `${bills.losers} of ${kpis.members}`],
  ];
  const conserved = `Conservation: ${kpis.conservation.energyWh} Wh, ${kpis.conservation.money} ${currency} between the members' books and the feeder meter.`;
  return [
    name,
    `${kpis.intervals} intervals, ${kpis.members} members, ${kpis.mechanism}, ${kpis.agents} agents, ${kpis.forecast} forecast, ${kpis.seconds} s`,
    '',
    table(rows),
    '',
    table(memberRows(kpis, simulation)),
    '',
    'The community account holds what forecast errors cost beyond the local price; it belongs to the members together.',
    conserved,
  ].join('\n');
}

function memberRows(kpis: Kpis, { community, perfect }: Simulation): string[][] {
  const header = ['member', 'alone', 'bill', 'bought', 'sold', 'shortfall', 'forecast cost'];
  const rows = kpis.perMember.map(({ id, baseline, bill, boughtWh, soldWh, shortfallWh }) => {
    const cost = billOf(community, id) - billOf(perfect, id);
    const energies = [boughtWh, soldWh, shortfallWh].map(kilowattHours);
    return [id, cents(baseline), cents(bill), ...energies, cents(formatDecimal(cost, 9))];
  });
  return [header, ...rows];
}

function priceText({ mean, min, max }: Kpis['price'], currency: string): string {
  return mean === null ? 'nothing traded' : `${mean} ${currency}/kWh (${min} to ${max})`;
}

/** A decimal text floored to two places, toward minus infinity, as every printed cent. */
function cents(text: string): string {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const exact = /^0*$/.test(fraction.slice(2));
  const magnitude = BigInt(whole + fraction.slice(0, 2).padEnd(2, '0'));
  const scaled = text.startsWith('-') ? -magnitude - (exact ? 0n : 1n) : magnitude;
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(3, '0');
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)} %`;
}

function kilowattHours(energyWh: number): string {
  return `${(energyWh / 1000).toFixed(1)} kWh`;
}

function kilowatts(powerW: number): string {
  return `${(powerW / 1000).toFixed(2)} kW`;
}

/** The first column to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))))
    .map((row) => `  ${row.join('  ')}`.trimEnd())
    .join('\n');
}
