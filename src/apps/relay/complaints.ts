/** Says once that something is wrong, and once that it is over, however often it is asked in between. */
export class Complaints {
  readonly #log: (message: string) => void;
  readonly #open = new Map<string, string>();

  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  /** `subject` names what is wrong; a new `detail` of the same subject is not said again. */
  raise(subject: string, detail: string): void {
    if (this.#open.has(subject)) return;
    this.#open.set(subject, detail);
    this.#log(`${subject}: ${detail}`);
  }

  clear(subject: string): void {
    if (this.#open.delete(subject)) this.#log(`${subject}: good again`);
  }
}
