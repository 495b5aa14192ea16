import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from '@v402/config';
import type { Random } from '@v402/simulators';
import { RoleChild } from './role-child.js';

const ROLES: readonly Role[] = ['intake', 'orders', 'workflows', 'relay'];
const MAX_SKEW_MS = 5 * 60_000;

export interface FleetOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Of each role. */
  readonly processes: number;
  readonly folder: string;
  readonly random: Random;
}

/** All processes of all roles. Each has a wall clock of its own that is wrong by up to five minutes. */
export class Fleet {
  readonly #children = new Map<string, RoleChild>();
  readonly #extras = new Set<RoleChild>();
  readonly #all: RoleChild[] = [];

  constructor(private readonly options: FleetOptions) {}

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
  running(role?: Role): readonly RoleChild[] {
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
  addExtra(role: Role): RoleChild {
    const extra = this.#start(role, `${role}-extra-${this.#extras.size + 1}`);
    this.#extras.add(extra);
    return extra;
  }

  async killAll(role?: Role): Promise<void> {
    await Promise.all(this.running(role).map((child) => child.kill()));
  }

  #replace(role: Role, name: string): RoleChild {
    const child = this.#start(role, name);
    this.#children.set(name, child);
    return child;
  }

  #start(role: Role, name: string): RoleChild {
    const { env, folder, random } = this.options;
    const child = RoleChild.start({
      role,
      name,
      env: { ...env, V402_PROCESS_NAME: name },
      skewMs: random.int(-MAX_SKEW_MS, MAX_SKEW_MS),
      logFile: join(folder, `${name}.log`),
    });
    this.#all.push(child);
    return child;
  }
}
