import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { FaultPointName, IntakeCounts } from '@v402/application';
import { ARRIVED_AT, CONTRACTS } from './intake-scene.js';
import { TRUST_REGISTRY } from './trade.js';

const script = join(import.meta.dirname, '../integration/accept-contracts.child.mjs');

export interface IntakeProcessOptions {
  readonly databaseUrl: string;
  /** Of the contracts topic; each process has its own, as in a consumer group. */
  readonly partition: number;
  readonly stopAt?: FaultPointName;
}

/** Another process that handles contracts on the same database. */
export class IntakeProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor({ databaseUrl, partition, stopAt }: IntakeProcessOptions) {
    const env = {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      TRUST_REGISTRY,
      TOPIC: CONTRACTS,
      PARTITION: String(partition),
      ARRIVED_AT,
      ...(stopAt && { STOP_AT: stopAt }),
    };
    this.#child = spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @returns its counts, or its error's text; the name of the crash point where it stopped */
  async handle(values: readonly Uint8Array[]): Promise<IntakeCounts | { readonly error: string } | FaultPointName> {
    this.#child.stdin.write(`${JSON.stringify(values.map((value) => Buffer.from(value).toString('base64')))}\n`);
    const answer: IteratorResult<string, unknown> = await this.#answers.next();
    if (answer.done === true) throw new Error('The process ended without an answer.');
    return JSON.parse(answer.value) as IntakeCounts;
  }

  /** Kill -9. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
