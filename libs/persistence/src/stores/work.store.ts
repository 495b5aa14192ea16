import type { Claim, ClaimRequest, NewWork, Postponement, WorkKind, WorkStore } from '@v402/application';
import type { ContractId, Side } from '@v402/domain';
import { columns, type Session, type SqlValue } from '../session.js';
import { bytea, hexOf, microsOf, timestampOf } from '../values.js';

const CLAIM = `id, kind, ${hexOf('contract_id')} AS "contractId", side, subject_id AS "subjectId", epoch,
  attempts + 1 AS attempts, ${microsOf('lease_until')} AS "leaseUntil"`;

// In key order: two that add the same work wait for each other in one direction only.
const ADD = `
  INSERT INTO v402.work (kind, contract_id, side, subject_id, due_at)
  SELECT kind, contract_id, side, subject_id, coalesce(${timestampOf('due_at')}, clock_timestamp())
  FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::bigint[])
    AS n (kind, contract_id, side, subject_id, due_at)
  ORDER BY kind, contract_id, side, subject_id
  ON CONFLICT (kind, contract_id, side, subject_id) DO NOTHING`;

/** Who claims under a limit waits until the one before it has committed: its statement then sees all leases. */
const LOCK_LIMIT =
  "SELECT pg_advisory_xact_lock(hashtextextended('v402.work ' || array_to_string($1::text[], ' '), 0))";

// statement_timestamp() is the database's clock too and lets the index find what is due; nothing is waited for here.
const CLAIM_DUE = `
  WITH due AS (
    SELECT id FROM v402.work
    WHERE kind = ANY ($1::text[]) AND due_at <= statement_timestamp()
      AND (lease_until IS NULL OR lease_until <= statement_timestamp())
    ORDER BY due_at
    LIMIT CASE WHEN $5::int IS NULL THEN $2::int ELSE least($2::int, greatest(0, $5::int - (
      SELECT count(*)::int FROM v402.work WHERE kind = ANY ($1::text[]) AND lease_until > statement_timestamp()))) END
    FOR NO KEY UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE v402.work w
    SET epoch = w.epoch + 1, leased_by = $4,
      lease_until = clock_timestamp() + $3 * interval '1 millisecond'
    FROM due WHERE w.id = due.id RETURNING w.*
  )
  SELECT ${CLAIM} FROM claimed ORDER BY due_at, id`;

/** Locks, in id order, the claims ($1 ids, $2 epochs) that nobody has taken over. */
const OURS = `
  WITH ours AS (
    SELECT w.id FROM v402.work w JOIN unnest($1::bigint[], $2::int[]) AS n (id, epoch)
      ON w.id = n.id AND w.epoch = n.epoch
    ORDER BY w.id FOR NO KEY UPDATE OF w
  )`;

const CONFIRM = `${OURS}, renewed AS (
    UPDATE v402.work w SET lease_until = clock_timestamp() + $3 * interval '1 millisecond'
    FROM ours WHERE w.id = ours.id RETURNING w.*
  )
  SELECT ${CLAIM} FROM renewed ORDER BY id`;

/** What was given back has no lease: it may be due, and another's at the next moment. */
const RENEW = `
  WITH ours AS (
    SELECT w.id FROM v402.work w JOIN unnest($1::bigint[], $2::int[]) AS n (id, epoch)
      ON w.id = n.id AND w.epoch = n.epoch
    WHERE w.lease_until IS NOT NULL
    ORDER BY w.id FOR NO KEY UPDATE OF w
  )
  UPDATE v402.work w SET lease_until = clock_timestamp() + $3 * interval '1 millisecond'
  FROM ours WHERE w.id = ours.id`;

const FINISH = `${OURS} DELETE FROM v402.work w USING ours WHERE w.id = ours.id`;

const POSTPONE = `${OURS}
  UPDATE v402.work w
  SET due_at = ${timestampOf('n.due_at')}, lease_until = NULL, leased_by = NULL,
    attempts = CASE WHEN n.progressed THEN 0 WHEN n.uncounted THEN w.attempts ELSE w.attempts + 1 END
  FROM ours JOIN unnest($1::bigint[], $3::bigint[], $4::boolean[], $5::boolean[])
    AS n (id, due_at, progressed, uncounted) USING (id)
  WHERE w.id = ours.id`;

const DROP_OF_SETTLEMENTS = `
  WITH locked AS (
    SELECT id FROM v402.work WHERE kind = ANY ($2::text[]) AND contract_id = ANY ($1::bytea[])
    ORDER BY id FOR NO KEY UPDATE
  )
  DELETE FROM v402.work w USING locked WHERE w.id = locked.id`;

/** Every kind, so that the index on (kind, contract_id, …) is of use. */
export const WORK_KINDS: readonly WorkKind[] = ['order', 'payment_leg', 'delivery'] satisfies WorkKind[];

type ClaimRow = {
  id: string;
  kind: WorkKind;
  contractId: string;
  side: Side;
  subjectId: string;
  epoch: number;
  attempts: number;
  leaseUntil: string;
};

export class PgWorkStore implements WorkStore {
  constructor(private readonly session: Session) {}

  async add(work: readonly NewWork[]): Promise<void> {
    await this.session.write(
      ADD,
      columns(
        work,
        (item) => item.kind,
        (item) => bytea(item.contractId),
        (item) => item.side,
        (item) => item.subjectId,
        (item) => item.dueAt ?? null,
      ),
    );
  }

  async claim({ kinds, limit, leaseMs, owner, maxLeased }: ClaimRequest): Promise<readonly Claim[]> {
    if (maxLeased !== undefined) await this.session.query(LOCK_LIMIT, [kinds]);
    return this.#claims(CLAIM_DUE, [kinds, limit, leaseMs, owner, maxLeased ?? null]);
  }

  async confirm(claims: readonly Claim[], leaseMs: number): Promise<readonly Claim[]> {
    return this.#claims(CONFIRM, [...idsAndEpochs(claims), leaseMs]);
  }

  async renew(claims: readonly Claim[], leaseMs: number): Promise<void> {
    await this.session.write(RENEW, [...idsAndEpochs(claims), leaseMs]);
  }

  async finish(claims: readonly Claim[]): Promise<void> {
    await this.session.write(FINISH, idsAndEpochs(claims));
  }

  async postpone(claims: readonly Postponement[]): Promise<void> {
    await this.session.write(POSTPONE, [
      ...idsAndEpochs(claims.map(({ claim }) => claim)),
      claims.map(({ dueAt }) => dueAt),
      claims.map(({ progressed }) => progressed),
      claims.map(({ uncounted = false }) => uncounted),
    ]);
  }

  async dropOfSettlements(ids: readonly ContractId[]): Promise<void> {
    await this.session.write(DROP_OF_SETTLEMENTS, [ids.map(bytea), WORK_KINDS]);
  }

  async #claims(sql: string, values: readonly SqlValue[]): Promise<readonly Claim[]> {
    const rows = await this.session.query<ClaimRow>(sql, values);
    return rows.map((row) => ({ ...row, id: BigInt(row.id), leaseUntil: BigInt(row.leaseUntil) }));
  }
}

const idsAndEpochs = (claims: readonly Claim[]): ReturnType<typeof columns> =>
  columns(
    claims,
    (claim) => claim.id,
    (claim) => claim.epoch,
  );
