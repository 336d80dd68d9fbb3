/**
 * What a DER does in a band of abnormal voltage or frequency. continuous: operate without end. mandatory: operate for
 * the minimum time. permissive: may operate or cease. momentary: cease, and come back at once. cease: stop energising.
 * none: the code asks nothing.
 */
export type OperatingMode = 'continuous' | 'mandatory' | 'permissive' | 'momentary' | 'cease' | 'none';

/** Where a number stands, and whether two independent sources agree on it. */
export interface Provenance {
  readonly clause: string;
  readonly confirmed: boolean;
  readonly sources: readonly string[];
}

/** Beyond the limit (strictly) the DER must have tripped within this time. */
export interface TripLimit extends Provenance {
  readonly name: string;
  readonly withinMs: number;
}

/** Beyond the limit (strictly) the DER stays connected for `minimumMs` plus the slope, if the mode asks it to. */
export interface RideThroughBand extends Provenance {
  readonly mode: Exclude<OperatingMode, 'continuous'>;
  readonly minimumMs: number;
  /** Adds this many microseconds per unit above `from`. */
  readonly slope?: { readonly from: number; readonly microsPerUnit: number };
}

export type Above = { readonly above: number };
export type Below = { readonly below: number };

/** Both sides of normal, the most extreme limit first: the first that is exceeded holds. */
export interface Sides<Row> {
  readonly high: readonly (Row & Above)[];
  readonly low: readonly (Row & Below)[];
}

export interface QuantityLimits {
  readonly trip: Sides<TripLimit>;
  readonly rideThrough: Sides<RideThroughBand>;
}

/** Both ends belong to the window. */
export interface ServiceWindow extends Provenance {
  readonly low: number;
  readonly high: number;
}

/** The numbers of one interconnection standard. Voltage in thousandths of nominal, frequency in mHz, times in ms. */
export interface GridCode {
  readonly name: string;
  readonly standard: string;
  readonly nominalFrequency: number;
  readonly voltage: QuantityLimits;
  readonly frequency: QuantityLimits;
  readonly enterService: {
    readonly voltage: ServiceWindow;
    readonly frequency: ServiceWindow;
    readonly delay: Provenance & { readonly ms: number };
  };
}
