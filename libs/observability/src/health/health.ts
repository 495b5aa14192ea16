/** Why this part of the process makes no progress, as a stable code; null while it does. Answered from memory. */
export type Condition = () => string | null;

export interface CheckResult {
  readonly check: string;
  readonly ready: boolean;
  /** Stable, snake_case; null while ready. */
  readonly code: string | null;
}

export interface HealthReport {
  readonly ready: boolean;
  readonly checks: readonly CheckResult[];
}

/** Whether this process makes progress. Every part of it says so by itself; nothing is pinged. */
export class Health {
  readonly #conditions = new Map<string, Condition>();
  #phase: 'starting' | 'running' | 'draining' = 'starting';

  constructor() {
    this.add('process', () => (this.#phase === 'running' ? null : this.#phase));
  }

  add(check: string, condition: Condition): void {
    this.#conditions.set(check, condition);
  }

  /** All roles are started. */
  started(): void {
    if (this.#phase === 'starting') this.#phase = 'running';
  }

  /** From here on the process is not ready any more. */
  drain(): void {
    this.#phase = 'draining';
  }

  report(): HealthReport {
    const checks = [...this.#conditions].map(([check, condition]) => {
      const code = condition();
      return { check, ready: code === null, code };
    });
    return { ready: checks.every(({ ready }) => ready), checks };
  }
}
