import type { JobClaim, JobStore } from '@v402/application';
import { columns, type Session } from '../session.js';

const ADD = `
  INSERT INTO v402.job (name, due_at)
  SELECT name, clock_timestamp() FROM unnest($1::text[]) AS n (name) ORDER BY name
  ON CONFLICT (name) DO NOTHING`;

const COME_FORWARD = `
  UPDATE v402.job j SET due_at = clock_timestamp() + n.period_ms * interval '1 millisecond'
  FROM unnest($1::text[], $2::bigint[]) AS n (name, period_ms)
  WHERE j.name = n.name AND j.due_at > clock_timestamp() + n.period_ms * interval '1 millisecond'`;

const CLAIM = `
  WITH due AS (
    SELECT name FROM v402.job
    WHERE name = ANY ($1::text[]) AND due_at <= clock_timestamp()
      AND (lease_until IS NULL OR lease_until <= clock_timestamp())
    ORDER BY due_at, name LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
  )
  UPDATE v402.job j
  SET epoch = j.epoch + 1, attempts = j.attempts + 1, leased_by = $2,
    lease_until = clock_timestamp() + $3 * interval '1 millisecond'
  FROM due WHERE j.name = due.name RETURNING j.name, j.epoch, j.attempts`;

const RENEW = `
  UPDATE v402.job SET lease_until = clock_timestamp() + $3 * interval '1 millisecond' WHERE name = $1 AND epoch = $2`;

// Counted from the moment that it was due, so that the rhythm does not drift by what each run takes.
const FINISH = `
  UPDATE v402.job
  SET due_at = due_at + interval '1 millisecond' * $3::float8
      * (floor(extract(epoch FROM clock_timestamp() - due_at)::float8 * 1000 / $3::float8) + 1),
    attempts = 0, lease_until = NULL, leased_by = NULL, finished_at = clock_timestamp()
  WHERE name = $1 AND epoch = $2`;

const RETRY = `
  UPDATE v402.job
  SET due_at = clock_timestamp() + $3 * interval '1 millisecond', lease_until = NULL, leased_by = NULL
  WHERE name = $1 AND epoch = $2`;

export class PgJobStore implements JobStore {
  constructor(private readonly session: Session) {}

  async add(jobs: readonly { readonly name: string; readonly periodMs: number }[]): Promise<void> {
    const input = columns(
      jobs,
      (job) => job.name,
      (job) => job.periodMs,
    );
    await this.session.write(ADD, input.slice(0, 1));
    await this.session.write(COME_FORWARD, input);
  }

  async claim(names: readonly string[], owner: string, leaseMs: number): Promise<JobClaim | undefined> {
    return (
      await this.session.query<{ name: string; epoch: number; attempts: number }>(CLAIM, [names, owner, leaseMs])
    )[0];
  }

  async renew({ name, epoch }: JobClaim, leaseMs: number): Promise<boolean> {
    return (await this.session.write(RENEW, [name, epoch, leaseMs])) === 1;
  }

  async finish({ name, epoch }: JobClaim, periodMs: number): Promise<void> {
    await this.session.write(FINISH, [name, epoch, periodMs]);
  }

  async retry({ name, epoch }: JobClaim, retryMs: number): Promise<void> {
    await this.session.write(RETRY, [name, epoch, retryMs]);
  }
}
