import { NO_DIGEST, type AuditAction, type AuditEntry, type AuditHead, type AuditStore } from '@v402/application';
import { TerminalError, type ContractId } from '@v402/domain';
import type { Session } from '../session.js';
import { bytea, hexOf, microsOf, optionalBytea, timestampOf } from '../values.js';

/** Of the whole database: whoever appends waits for the one before to commit. The number is ours and never changes. */
const LOCK = 'SELECT pg_advisory_xact_lock(402402403)';

const LOGIN = 'SELECT session_user::text AS login';

const HEAD = `
  SELECT coalesce(max(sequence), 0)::text AS sequence, session_user::text AS login,
    (SELECT ${hexOf('digest')} FROM v402.audit_entry ORDER BY sequence DESC LIMIT 1) AS digest
  FROM v402.audit_entry`;

// The database fills in the login itself: nobody may.
const INSERT = `
  INSERT INTO v402.audit_entry (sequence, at, actor, action, subject, contract_id, reason, details, previous, digest)
  VALUES ($1, ${timestampOf('$2::bigint')}, $3, $4, $5, $6, $7, $8, $9, $10)`;

const ENTRY = `
  SELECT sequence::text, ${microsOf('at')} AS at, actor, login, action, subject::text,
    ${hexOf('contract_id')} AS "contractId", reason, details, ${hexOf('previous')} AS previous, ${hexOf('digest')} AS digest
  FROM v402.audit_entry`;

const AFTER = `${ENTRY} WHERE sequence > $1 ORDER BY audit_entry.sequence LIMIT $2`;
// An action on two contracts, such as an amendment and its base, is about both.
const ABOUT = `${ENTRY}
  WHERE contract_id = $1 OR details->>'otherContract' = encode($1, 'hex') OR subject = $2
  ORDER BY audit_entry.sequence`;

type EntryRow = {
  sequence: string;
  at: string;
  actor: string;
  login: string;
  action: AuditAction;
  subject: string;
  contractId: string | null;
  reason: string;
  details: Record<string, string>;
  previous: string;
  digest: string;
};

export class PgAuditStore implements AuditStore {
  constructor(private readonly session: Session) {}

  async login(): Promise<string> {
    const [row] = await this.session.query<{ login: string }>(LOGIN);
    if (row === undefined) throw new TerminalError('login_unreadable', 'The database did not tell who is logged in.');
    return row.login;
  }

  async lockHead(): Promise<AuditHead> {
    await this.session.query(LOCK);
    const [row] = await this.session.query<{ sequence: string; login: string; digest: string | null }>(HEAD);
    if (row === undefined) throw new TerminalError('audit_unreadable', 'The audit trail did not tell where it ends.');
    return { sequence: BigInt(row.sequence), login: row.login, digest: row.digest ?? NO_DIGEST };
  }

  async insert(entry: AuditEntry): Promise<void> {
    await this.session.write(INSERT, [
      entry.sequence,
      entry.at,
      entry.actor,
      entry.action,
      entry.subject,
      optionalBytea(entry.contractId),
      entry.reason,
      JSON.stringify(entry.details),
      bytea(entry.previous),
      bytea(entry.digest),
    ]);
  }

  async after(sequence: bigint, limit: number): Promise<readonly AuditEntry[]> {
    return entriesOf(await this.session.query<EntryRow>(AFTER, [sequence, limit]));
  }

  async about({ contractId, subject }: { contractId?: ContractId; subject?: string }): Promise<readonly AuditEntry[]> {
    return entriesOf(await this.session.query<EntryRow>(ABOUT, [optionalBytea(contractId), subject ?? null]));
  }
}

const entriesOf = (rows: readonly EntryRow[]): readonly AuditEntry[] =>
  rows.map((row) => ({
    ...row,
    sequence: BigInt(row.sequence),
    at: BigInt(row.at),
    contractId: row.contractId ?? undefined,
  }));
