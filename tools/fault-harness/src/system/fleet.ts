import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@v402/simulators';
import { RoleChild } from './role-child.js';
import type { FleetRole } from './role-messages.js';

const ROLES: readonly FleetRole[] = ['intake', 'orders', 'workflows', 'relay', 'operator'];
const MAX_SKEW_MS = 5 * 60_000;
const MAX_SEED = 1_000_000;

export interface FleetOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Of each role. */
  readonly processes: number;
  /** Where an operator logs in, by the name of the process. */
  readonly operatorUrls: ReadonlyMap<string, string>;
  readonly folder: string;
  readonly random: Random;
}

/** All processes of all roles, and the operators. Each has a wall clock of its own that is wrong by up to five minutes. */
export class Fleet {
  readonly #children = new Map<string, RoleChild>();
  readonly #extras = new Set<RoleChild>();
  readonly #all: RoleChild[] = [];
  readonly #refusals = new Map<string, number>();
  #isUnguarded = false;

  constructor(private readonly options: FleetOptions) {}

  /** How often operators were told no, by the code. */
  get refusals(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#refusals);
  }

  /** Whether any of them came to where a guard is taken out. */
  get isUnguarded(): boolean {
    return this.#isUnguarded;
  }

  /** Resolves when all of them work. */
  async start(): Promise<void> {
    for (const role of ROLES) {
      for (let number = 1; number <= this.options.processes; number += 1) this.#replace(role, `${role}-${number}`);
    }
    await Promise.all([...this.#children.values()].map(({ ready }) => ready));
  }

  /** Every process that ended by itself, in words. */
  get crashes(): readonly string[] {
    return this.#all.flatMap(({ crash }) => crash ?? []);
  }

  /** Those that run, of one role or of all. */
  running(role?: FleetRole): readonly RoleChild[] {
    return [...this.#children.values(), ...this.#extras].filter(
      (child) => !child.hasEnded && (role === undefined || child.options.role === role),
    );
  }

  /** Starts again what has ended, under the same names. */
  async restart(afterMs = 0): Promise<void> {
    const ended = [...this.#children.values()].filter((child) => child.hasEnded);
    if (ended.length === 0) return;
    await sleep(afterMs);
    const restarted = ended.map(({ options: { role, name } }) => this.#replace(role, name));
    await Promise.all(restarted.map(({ ready }) => ready));
  }

  /** One more process of a role, that nobody starts again. */
  addExtra(role: FleetRole): RoleChild {
    const extra = this.#start(role, `${role}-extra-${this.#extras.size + 1}`);
    this.#extras.add(extra);
    return extra;
  }

  async killAll(role?: FleetRole): Promise<void> {
    await Promise.all(this.running(role).map((child) => child.kill()));
  }

  #replace(role: FleetRole, name: string): RoleChild {
    const child = this.#start(role, name);
    this.#children.set(name, child);
    return child;
  }

  #start(role: FleetRole, name: string): RoleChild {
    const { env, folder, random, operatorUrls } = this.options;
    const url = operatorUrls.get(name);
    const child = RoleChild.start({
      role,
      name,
      env: { ...env, V402_PROCESS_NAME: name, ...(url !== undefined && { V402_OPERATOR_DATABASE_URL: url }) },
      skewMs: random.int(-MAX_SKEW_MS, MAX_SKEW_MS),
      seed: random.int(0, MAX_SEED),
      logFile: join(folder, `${name}.log`),
      onRefused: (code) => this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1),
      onUnguarded: () => (this.#isUnguarded = true),
    });
    this.#all.push(child);
    return child;
  }
}
