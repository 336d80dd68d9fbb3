import { Fault, isFault } from '../../errors/fault.ts';

/** A device answered with an exception: the link is good, the request is not. */
export class ModbusExceptionFault extends Fault {
  /** 1 to 11 of Modbus Application Protocol 1.1b3, 7. */
  readonly exception: number;

  constructor(exception: number, message: string) {
    super('MODBUS_EXCEPTION', message);
    this.exception = exception;
  }
}

export function isModbusException(error: unknown, exception: number): boolean {
  return isFault(error, 'MODBUS_EXCEPTION') && error instanceof ModbusExceptionFault && error.exception === exception;
}
