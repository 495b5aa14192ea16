import { EvidenceArchive, type EvidenceFacts } from '@v402/application';
import { TerminalError } from '@v402/domain';
import type { QueryResultRow } from 'pg';
import type { DatabaseOptions } from '../pool.js';
import type { Session, SqlValue } from '../session.js';
import { bytea, dateOfText, instantOf } from '../values.js';
import * as sql from './evidence-sql.js';
import { ReadOnlyDatabase } from './read-only-database.js';

type Rows<K extends keyof EvidenceFacts> = EvidenceFacts[K] extends readonly (infer Row)[] ? Row[] : never;
type RowOf<T> = T & QueryResultRow;

const DIGEST = /^[0-9a-f]{64}$/i;
const NOW = `SELECT ${instantOf('clock_timestamp()')} AS now`;

export class PgEvidenceArchive extends EvidenceArchive {
  readonly #database: ReadOnlyDatabase;

  constructor(options: DatabaseOptions) {
    super();
    this.#database = new ReadOnlyDatabase(options);
  }

  override async read(id: string): Promise<EvidenceFacts | undefined> {
    return this.#database.atOneMoment(async (session) => {
      const digest = DIGEST.test(id) ? bytea(id.toLowerCase()) : null;
      const contract =
        (await first<{ id: string }>(session, sql.FIND_CONTRACT, [digest, id.toUpperCase()])) ??
        (await first<{ id: string }>(session, sql.FIND_CONTRACT_OF_MESSAGE, [digest]));
      if (contract !== undefined) return ofContract(session, contract.id);
      const message = await first<{ id: string }>(session, sql.FIND_MESSAGE, [digest]);
      return message && ofMessage(session, message.id);
    });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

async function ofContract(session: Session, contractId: string): Promise<EvidenceFacts> {
  const id = bytea(contractId);
  const decisions = await rows<'decisions'>(session, sql.DECISIONS_OF_CONTRACT, [id]);
  const digests = distinct(decisions);
  const deal = (await first<NonNullable<EvidenceFacts['deal']>>(session, sql.DEAL, [id])) ?? null;
  const dealKey = deal === null ? null : bytea(deal.key);
  const legs = await rows<'legs'>(session, sql.LEGS, [id]);
  const deliveries = await rows<'deliveries'>(session, sql.DELIVERIES, [id]);
  const holds = await rows<'holds'>(session, sql.HOLDS, [dealKey]);
  const quarantine = await rows<'quarantine'>(session, sql.QUARANTINE, [id, digests]);
  return {
    subject: { kind: 'contract', contractId },
    collectedAt: await now(session),
    messages: await rows<'messages'>(session, sql.MESSAGES, [digests]),
    decisions,
    rejections: await rows<'rejections'>(session, sql.REJECTIONS, [digests]),
    deal,
    settlement: (await first<NonNullable<EvidenceFacts['settlement']>>(session, sql.SETTLEMENT, [id])) ?? null,
    chain: await rows<'chain'>(session, sql.CHAIN, [dealKey]),
    orders: await rows<'orders'>(session, sql.ORDERS, [id]),
    legs: legs.map((leg) => ({ ...leg, dueDate: leg.dueDate === null ? null : dateOfText(leg.dueDate) })),
    deliveries: deliveries.map(({ notBefore, notAfter, ...row }) => ({
      ...{ ...row, notBefore: dateOfText(notBefore), notAfter: dateOfText(notAfter) },
    })),
    holds,
    quarantine,
    audit: await audit(session, [...holds, ...quarantine], id),
    events: await rows<'events'>(session, sql.EVENTS, [[id, ...digests]]),
  };
}

/** A message that never became a contract: what was decided of it, and what was announced. */
async function ofMessage(session: Session, rawDigest: string): Promise<EvidenceFacts> {
  const digest = bytea(rawDigest);
  const decisions = await rows<'decisions'>(session, sql.DECISIONS_OF_MESSAGE, [digest]);
  const streams = decisions.flatMap(({ contractId }) => (contractId === null ? [] : [bytea(contractId)]));
  const events = await rows<'events'>(session, sql.EVENTS, [[digest, ...streams]]);
  const quarantine = await rows<'quarantine'>(session, sql.QUARANTINE, [null, [digest]]);
  return {
    subject: { kind: 'message', rawDigest },
    collectedAt: await now(session),
    messages: await rows<'messages'>(session, sql.MESSAGES, [[digest]]),
    decisions,
    rejections: await rows<'rejections'>(session, sql.REJECTIONS, [[digest]]),
    deal: null,
    settlement: null,
    chain: [],
    orders: [],
    legs: [],
    deliveries: [],
    holds: [],
    quarantine,
    audit: await audit(session, quarantine, null),
    events,
  };
}

/** Operators act on cases, which are named by their hold or their entry in quarantine. */
const audit = (
  session: Session,
  cases: readonly { readonly id: string }[],
  contractId: string | null,
): Promise<RowOf<Rows<'audit'>[number]>[]> =>
  // An empty list alone would mean that nothing is asked for; no case has the id of nothing.
  rows<'audit'>(session, sql.AUDIT, [[NO_CASE, ...cases.map(({ id }) => id)], contractId]);

const NO_CASE = '00000000-0000-0000-0000-000000000000';

const distinct = (decisions: Rows<'decisions'>): string[] => [
  ...new Set(decisions.map(({ rawDigest }) => bytea(rawDigest))),
];

async function now(session: Session): Promise<string> {
  const row = await first<{ now: string }>(session, NOW, []);
  if (row === undefined) throw new TerminalError('clock_missing', 'The database did not tell its time.');
  return row.now;
}

const rows = <K extends keyof EvidenceFacts>(
  session: Session,
  text: string,
  values: readonly SqlValue[],
): Promise<RowOf<Rows<K>[number]>[]> => session.query<RowOf<Rows<K>[number]>>(text, values);

const first = async <T>(session: Session, text: string, values: readonly SqlValue[]): Promise<T | undefined> =>
  (await session.query<RowOf<T>>(text, values))[0];
