import type { ReadingQuality } from '../../domain/metering/meter-reading.ts';
import { assert } from '../../domain/units/assert.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { assertFits, type DataType, type MetricValue } from './datatype.ts';
import type { OutgoingMetric } from './payload.ts';
import { isSparkplugId } from './topics.ts';
import { BD_SEQ, qualityCode, REBIRTH } from './vocabulary.ts';

/** A metric as its birth declares it. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: DataType;
}

export interface DeviceDefinition {
  readonly id: string;
  readonly metrics: readonly MetricDefinition[];
}

export interface NodeDefinition {
  readonly group: string;
  readonly node: string;
  /** Metrics of the node itself. */
  readonly nodeMetrics?: readonly MetricDefinition[];
  readonly devices: readonly DeviceDefinition[];
}

/** `null` is a value that cannot be used; then the quality defaults to bad, otherwise to good. */
export interface MetricUpdate {
  readonly name: string;
  readonly value: MetricValue | null;
  readonly quality?: ReadingQuality;
}

interface Metric extends MetricDefinition {
  readonly alias: number;
  value: MetricValue | null;
  quality: ReadingQuality;
  at: EpochMs | null;
}

/** The metrics of a node or of one of its devices with their last values. */
export class EdgeMetrics {
  readonly #byName = new Map<string, Metric>();

  /** Aliases count up from `firstAlias`. */
  constructor(definitions: readonly MetricDefinition[], firstAlias: number) {
    for (const [index, { name, type }] of definitions.entries()) {
      this.#byName.set(name, { name, type, alias: firstAlias + index, value: null, quality: 'bad', at: null });
    }
  }

  find(name: string | null, alias: number | null): MetricDefinition | null {
    if (name !== null) return this.#byName.get(name) ?? null;
    return [...this.#byName.values()].find((metric) => metric.alias === alias) ?? null;
  }

  /** Takes the values over and gives the metrics of a DATA message: alias only, no datatype. */
  update(updates: readonly MetricUpdate[], at: EpochMs): OutgoingMetric[] {
    return updates.map((update) => {
      const metric = this.#byName.get(update.name);
      assert(metric !== undefined, `the metric ${update.name} is in no birth`);
      if (update.value !== null) assertFits(metric.type, update.value, update.name);
      const quality = update.quality ?? (update.value === null ? 'bad' : 'good');
      const isHistorical = metric.at !== null && at < metric.at;
      if (!isHistorical) Object.assign(metric, { value: update.value, quality, at });
      const { alias, type } = metric;
      return {
        alias,
        timestamp: at,
        type,
        withType: false,
        isHistorical,
        value: update.value,
        ...withQuality(quality),
      };
    });
  }

  /** Every metric with name, alias, datatype and last value, oldest first. One never updated is null and bad. */
  birth(now: EpochMs): OutgoingMetric[] {
    const metrics = [...this.#byName.values()].map(({ name, alias, type, value, quality, at }) => ({
      ...{ name, alias, timestamp: at ?? now, type, withType: true, value },
      ...withQuality(quality),
    }));
    return metrics.sort((a, b) => a.timestamp - b.timestamp);
  }
}

/** Good is what a metric without the property is, so it is left out. */
function withQuality(quality: ReadingQuality): { quality?: number } {
  return quality === 'good' ? {} : { quality: qualityCode(quality) };
}

/** What is wrong with a definition, or `null`. Names that differ by case only are refused: case-sensitivity-*. */
export function definitionProblem({ group, node, nodeMetrics = [], devices }: NodeDefinition): string | null {
  const ids = [group, node, ...devices.map(({ id }) => id)];
  const badId = ids.find((id) => !isSparkplugId(id));
  if (badId !== undefined) return `"${badId}" is no Sparkplug id: it must not be empty nor hold + / #`;
  if (group === 'STATE') return 'a group cannot be named STATE';
  const twice = repeated(devices.map(({ id }) => id));
  if (twice !== undefined) return `the device ${twice} is named twice`;
  const sets = [nodeMetrics, ...devices.map(({ metrics }) => metrics)].map((set) => set.map(({ name }) => name));
  const metric = sets.map((names) => repeated([BD_SEQ, REBIRTH, ...names])).find((name) => name !== undefined);
  return metric === undefined ? null : `the metric ${metric} is named twice`;
}

function repeated(names: readonly string[]): string | undefined {
  const lower = names.map((name) => name.toLowerCase());
  return names.find((_, index) => lower.indexOf(lower[index] ?? '') !== index);
}
