/** The MBAP envelope of Modbus TCP (Modbus Messaging on TCP/IP 1.0b, 3.1.3): transaction, protocol 0, length, unit, PDU. */
export interface ModbusFrame {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Uint8Array;
}

/** The bytes on the stream cannot be Modbus TCP: a protocol id other than 0, or a length that no PDU has. */
export interface FramingFault {
  readonly framing: string;
}

const HEADER = 7;
const MAX_PDU = 253;

export function encodeFrame({ transaction, unit, pdu }: ModbusFrame): Uint8Array {
  const bytes = new Uint8Array(HEADER + pdu.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, transaction);
  view.setUint16(4, pdu.length + 1);
  view.setUint8(6, unit);
  bytes.set(pdu, HEADER);
  return bytes;
}

/** Cuts a byte stream into frames, however the network split or joined it. Holds at most one unfinished frame. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array(0);

  /** The frames that these bytes complete. After a framing fault the stream is lost: drop the connection. */
  push(bytes: Uint8Array): { readonly frames: ModbusFrame[]; readonly fault: FramingFault | null } {
    this.#rest = this.#rest.length === 0 ? bytes : concatenate(this.#rest, bytes);
    const frames: ModbusFrame[] = [];
    for (;;) {
      const next = firstFrame(this.#rest);
      if (next === null) return { frames, fault: null };
      if ('framing' in next) return { frames, fault: next };
      frames.push(next.frame);
      this.#rest = this.#rest.subarray(next.size);
    }
  }
}

function firstFrame(bytes: Uint8Array): { frame: ModbusFrame; size: number } | FramingFault | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 4 && view.getUint16(2) !== 0) return { framing: `protocol id ${view.getUint16(2)} instead of 0` };
  if (bytes.length < 6) return null;
  const length = view.getUint16(4);
  if (length < 2 || length > MAX_PDU + 1) return { framing: `length ${length} instead of 2 to ${MAX_PDU + 1}` };
  const size = length + 6;
  if (bytes.length < size) return null;
  const pdu = bytes.slice(HEADER, size);
  return { frame: { transaction: view.getUint16(0), unit: view.getUint8(6), pdu }, size };
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
