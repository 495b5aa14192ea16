import { FaultPoint, type FaultPointName } from '@v402/application';
import type { FromRole, ToRole } from './role-messages.js';

/** Lets the harness break this process where the design says that it may break. */
export class RemoteFaultPoint extends FaultPoint {
  #armed: Extract<ToRole, { type: 'arm' }> | undefined;
  #left = 0;
  #goOn: () => void = () => undefined;

  constructor() {
    super();
    process.on('message', (message: ToRole) => {
      this.#hear(message);
    });
  }

  override async reach(point: FaultPointName): Promise<void> {
    if (this.#armed?.point !== point) return;
    if (this.#left > 0) {
      this.#left -= 1;
      return;
    }
    const { action } = this.#armed;
    this.#armed = undefined;
    // Nothing of this process happens any more after it: not even the message that it was reached.
    if (action === 'kill') process.kill(process.pid, 'SIGKILL');
    const released = new Promise<void>((resolve) => (this.#goOn = resolve));
    await report({ type: 'reached', point });
    if (action === 'stop') process.kill(process.pid, 'SIGSTOP');
    else await released;
  }

  #hear(message: ToRole): void {
    switch (message.type) {
      case 'arm':
        this.#armed = message;
        this.#left = message.skip;
        return;
      case 'disarm':
        this.#armed = undefined;
        return;
      case 'go_on':
        this.#goOn();
        return;
    }
  }
}

/** Resolves when the message is on its way. */
export function report(message: FromRole): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => {
      resolve();
    });
  });
}
