import type { BenchResult } from '../main.ts';
import { rounded } from './rounds.ts';

/** One figure that a bar may ask for, by name. */
export interface BarMeasure {
  readonly name: string;
  readonly value: number;
}

interface Bar {
  readonly bar: string;
  readonly measure: string;
  readonly atLeast: number;
  readonly aim: number;
  /** Absent: more is better. */
  readonly lessIsBetter?: true;
}

const BARS: readonly Bar[] = [
  { bar: 'full over nodejs-order-book, shallow, x', measure: 'full/nodejs-order-book/shallow', atLeast: 12, aim: 40 },
  { bar: 'full over nodejs-order-book, single, x', measure: 'full/nodejs-order-book/single', atLeast: 100, aim: 300 },
  { bar: 'full over CppTrader, single, x', measure: 'full/cpptrader/single', atLeast: 0.7, aim: 1.5 },
  { bar: 'full over exchange-core, single, x', measure: 'full/exchange-core/single', atLeast: 0.7, aim: 1.5 },
  { bar: 'bare over the same in C++, single, x', measure: 'bare/own-cpp/single', atLeast: 0.4, aim: 0.8 },
  { bar: 'bare over the same in C++, energy, x', measure: 'bare/own-cpp/energy', atLeast: 0.7, aim: 0.9 },
  { bar: 'durable commands a second, replies held', measure: 'durable', atLeast: 1_000_000, aim: 4_000_000 },
  { bar: '1,000,000 orders cleared, ms', measure: 'call', atLeast: 40, aim: 15, lessIsBetter: true },
  { bar: '1,000,000 orders, gate of a book, ms', measure: 'gate', atLeast: 40, aim: 15, lessIsBetter: true },
  { bar: 'gate to last of 1,000 members told, p99 ms', measure: 'told', atLeast: 250, aim: 50, lessIsBetter: true },
  { bar: "others' p99 while one floods, + %", measure: 'flood', atLeast: 25, aim: 5, lessIsBetter: true },
];

/** One row a bar, at the end: what was measured, what is asked for, and which of the two it meets. */
export function barRows(measures: readonly BarMeasure[]): BenchResult[] {
  return BARS.map(({ bar, measure, atLeast, aim, lessIsBetter }) => {
    const value = measures.find(({ name }) => name === measure)?.value;
    if (value === undefined) return { bar, measured: 'no', atLeast, aim, met: 'not measured' };
    const sign = lessIsBetter ? -1 : 1;
    const isMet = (asked: number) => sign * value >= sign * asked;
    return {
      bar,
      measured: rounded(value),
      atLeast,
      aim,
      met: isMet(aim) ? 'aim' : isMet(atLeast) ? 'at least' : 'short',
    };
  });
}
