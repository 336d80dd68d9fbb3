import type { MetricEvent } from '../../adapters/sparkplug/host-node.ts';
import type { BoundaryReading } from '../../domain/engine/command.ts';
import type { Wh } from '../../domain/units/energy.ts';
import type { EpochMs } from '../../domain/units/time.ts';

/** The latest of each metric of one node, and whether it may still be believed. */
interface Board {
  online: boolean;
  readonly values: Map<string, { readonly value: number | boolean; readonly good: boolean }>;
  pending: { at: EpochMs; importRegister: Wh } | null;
  heardAtWall: number;
}

/** What the mesh says of every home, as the dashboard shows it; and meter readings as pairs of registers. */
export class HomeBoard {
  readonly #boards = new Map<string, Board>();
  readonly #onReading: (node: string, reading: BoundaryReading) => void;

  constructor(onReading: (node: string, reading: BoundaryReading) => void) {
    this.#onReading = onReading;
  }

  setOnline(node: string, online: boolean): void {
    this.#board(node).online = online;
  }

  isOnline(node: string): boolean {
    return this.#boards.get(node)?.online ?? false;
  }

  /** A good value, or null where it is stale, bad or unknown. */
  number(node: string, name: string): number | null {
    const entry = this.#boards.get(node)?.values.get(name);
    return entry?.good === true && typeof entry.value === 'number' ? entry.value : null;
  }

  flag(node: string, name: string): boolean | null {
    const entry = this.#boards.get(node)?.values.get(name);
    return entry?.good === true && typeof entry.value === 'boolean' ? entry.value : null;
  }

  /** Wall ms since the node's meter was last heard. */
  ageMs(node: string, wallNow: number): number {
    return wallNow - (this.#boards.get(node)?.heardAtWall ?? Number.NEGATIVE_INFINITY);
  }

  take(event: MetricEvent, wallNow: number): void {
    const board = this.#board(event.node);
    const { name, value, quality, at } = event;
    if (event.historical) return;
    const usable = typeof value === 'number' || typeof value === 'boolean';
    board.values.set(name, { value: usable ? value : 0, good: usable && quality === 'good' });
    if (!usable || quality !== 'good') return;
    if (event.device === 'meter') board.heardAtWall = wallNow;
    if (name === 'Meter/ImportWh') board.pending = { at, importRegister: Number(value) as Wh };
    if (name === 'Meter/ExportWh' && board.pending?.at === at) {
      this.#onReading(event.node, { ...board.pending, exportRegister: Number(value) as Wh });
    }
  }

  #board(node: string): Board {
    const known = this.#boards.get(node);
    if (known !== undefined) return known;
    const board: Board = { online: false, values: new Map(), pending: null, heardAtWall: Number.NEGATIVE_INFINITY };
    this.#boards.set(node, board);
    return board;
  }
}
