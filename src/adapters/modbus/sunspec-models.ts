import { type PointType, sizeOf } from './sunspec-points.ts';

/** One point: where it stands, counted from the model's ID register, and what it is. */
export interface SunSpecPoint {
  readonly name: string;
  readonly type: PointType;
  readonly offset: number;
  readonly registers: number;
  /** The point of the same model that holds the power of ten; `null` for a plain number. */
  readonly scale: string | null;
  readonly units: string;
}

export type SunSpecPoints = ReadonlyMap<string, SunSpecPoint>;

/** `offset name type [scale|-] [units]`, a string as `stringN` of N registers. Facts of the SunSpec models of that number. */
function table(text: string): SunSpecPoints {
  const points = text
    .trim()
    .split('\n')
    .map((line) => parsePoint(line.trim().split(/\s+/)));
  return new Map(points.map((point) => [point.name, point]));
}

function parsePoint([offset = '', name = '', declared = '', scale = '-', units = '']: readonly string[]): SunSpecPoint {
  const type = declared.replace(/^string\d+$/, 'string') as PointType;
  const registers = sizeOf(type, Number(declared.slice('string'.length)));
  return { name, type, offset: Number(offset), registers, scale: scale === '-' ? null : scale, units };
}

const COMMON = table(`
  2 Mn string16
  18 Md string16
  34 Opt string8
  42 Vr string8
  50 SN string16
  66 DA uint16`);

/** 101 single phase, 102 split phase, 103 three phase: one layout. */
const INVERTER = table(`
  2 A uint16 A_SF A
  6 A_SF sunssf
  10 PhVphA uint16 V_SF V
  11 PhVphB uint16 V_SF V
  12 PhVphC uint16 V_SF V
  13 V_SF sunssf
  14 W int16 W_SF W
  15 W_SF sunssf
  16 Hz uint16 Hz_SF Hz
  17 Hz_SF sunssf
  24 WH acc32 WH_SF Wh
  26 WH_SF sunssf
  33 TmpCab int16 Tmp_SF C
  37 Tmp_SF sunssf
  38 St enum16
  39 StVnd enum16
  40 Evt1 bitfield32`);

/** 201 single phase, 202 split phase, 203 wye, 204 delta: one layout. */
const METER = table(`
  2 A int16 A_SF A
  3 AphA int16 A_SF A
  4 AphB int16 A_SF A
  5 AphC int16 A_SF A
  6 A_SF sunssf
  7 PhV int16 V_SF V
  8 PhVphA int16 V_SF V
  9 PhVphB int16 V_SF V
  10 PhVphC int16 V_SF V
  15 V_SF sunssf
  16 Hz int16 Hz_SF Hz
  17 Hz_SF sunssf
  18 W int16 W_SF W
  19 WphA int16 W_SF W
  20 WphB int16 W_SF W
  21 WphC int16 W_SF W
  22 W_SF sunssf
  38 TotWhExp acc32 TotWh_SF Wh
  46 TotWhImp acc32 TotWh_SF Wh
  54 TotWh_SF sunssf
  105 Evt bitfield32`);

const DER_MEASUREMENT = table(`
  2 ACType enum16
  3 St enum16
  4 InvSt enum16
  5 ConnSt enum16
  6 Alrm bitfield32
  8 DERMode bitfield32
  10 W int16 W_SF W
  14 A int16 A_SF A
  15 LLV uint16 V_SF V
  16 LNV uint16 V_SF V
  17 Hz uint32 Hz_SF Hz
  19 TotWhInj uint64 TotWh_SF Wh
  23 TotWhAbs uint64 TotWh_SF Wh
  47 VL1 uint16 V_SF V
  113 A_SF sunssf
  114 V_SF sunssf
  115 Hz_SF sunssf
  116 W_SF sunssf
  120 TotWh_SF sunssf`);

const IMMEDIATE_CONTROLS = table(`
  2 Conn_WinTms uint16 - s
  3 Conn_RvrtTms uint16 - s
  4 Conn enum16
  5 WMaxLimPct uint16 WMaxLimPct_SF %
  6 WMaxLimPct_WinTms uint16 - s
  7 WMaxLimPct_RvrtTms uint16 - s
  8 WMaxLimPct_RmpTms uint16 - s
  9 WMaxLim_Ena enum16
  23 WMaxLimPct_SF sunssf`);

const STORAGE_CONTROLS = table(`
  2 WChaMax uint16 WChaMax_SF W
  3 WChaGra uint16 WChaDisChaGra_SF %
  4 WDisChaGra uint16 WChaDisChaGra_SF %
  5 StorCtl_Mod bitfield16
  7 MinRsvPct uint16 MinRsvPct_SF %
  8 ChaState uint16 ChaState_SF %
  11 ChaSt enum16
  12 OutWRte int16 InOutWRte_SF %
  13 InWRte int16 InOutWRte_SF %
  14 InOutWRte_WinTms uint16 - s
  15 InOutWRte_RvrtTms uint16 - s
  16 InOutWRte_RmpTms uint16 - s
  17 ChaGriSet enum16
  18 WChaMax_SF sunssf
  19 WChaDisChaGra_SF sunssf
  21 MinRsvPct_SF sunssf
  22 ChaState_SF sunssf
  25 InOutWRte_SF sunssf`);

const BATTERY = table(`
  3 WHRtg uint16 WHRtg_SF Wh
  4 WChaRteMax uint16 WChaDisChaMax_SF W
  5 WDisChaRteMax uint16 WChaDisChaMax_SF W
  11 SoC uint16 SoC_SF %
  13 SoH uint16 SoH_SF %
  16 ChaSt enum16
  17 LocRemCtl enum16
  21 Typ enum16
  22 State enum16
  26 Evt1 bitfield32
  34 V uint16 V_SF V
  44 A int16 A_SF A
  47 W int16 W_SF W
  53 WHRtg_SF sunssf
  54 WChaDisChaMax_SF sunssf
  56 SoC_SF sunssf
  58 SoH_SF sunssf
  59 V_SF sunssf
  61 A_SF sunssf
  63 W_SF sunssf`);

/** The models that the product reads, by number. */
export const SUNSPEC_MODELS: ReadonlyMap<number, SunSpecPoints> = new Map([
  [1, COMMON],
  [101, INVERTER],
  [102, INVERTER],
  [103, INVERTER],
  [123, IMMEDIATE_CONTROLS],
  [124, STORAGE_CONTROLS],
  [201, METER],
  [202, METER],
  [203, METER],
  [204, METER],
  [701, DER_MEASUREMENT],
  [802, BATTERY],
]);
