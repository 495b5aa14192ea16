import { PrismaPg } from '@prisma/adapter-pg';
import { RetryableError } from '@v402/domain';
import { Prisma, PrismaClient } from '../generated/client.js';
import { authenticationFailed, notMigrated, tlsFailed } from '../pg-errors.js';
import { createPool, type DatabaseOptions } from '../pool.js';
import { type Database, type Figures, readFigures } from './figures.js';
import { settlementView, type SettlementView } from './settlement-view.js';

/**
 * Reads for people and reports; takes no locks. Use cases do not read through it: what they decide on has to be read in
 * their own transaction.
 */
export class SettlementReader {
  readonly #prisma: PrismaClient;

  constructor(options: DatabaseOptions) {
    const pool = createPool({ maxConnections: 2, ...options });
    this.#prisma = new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: true }) });
  }

  /**
   * @param idOrShortRef a contractId or a shortRef, in capital or small letters
   * @returns undefined when no such contract was accepted
   * @throws RetryableError `database_unavailable`, `database_authentication_failed`, `database_tls_failed`,
   * `database_not_migrated`, `database_error`
   */
  async find(idOrShortRef: string): Promise<SettlementView | undefined> {
    const where = /^[0-9a-f]{64}$/i.test(idOrShortRef)
      ? { contractId: Buffer.from(idOrShortRef, 'hex') }
      : { shortRef: idOrShortRef.toUpperCase() };
    return this.#atOneMoment(async (database) => {
      // One query after another: a transaction has one connection, and an `include` would ask it several things at once.
      const settlement = await database.settlement.findFirst({ where, omit: { canonical: true } });
      if (settlement === null) return undefined;
      const { contractId, dealKey } = settlement;
      const bySide = [{ side: 'asc' }, { number: 'asc' }] as const;
      const events = await database.event.findMany({
        where: { stream: contractId },
        omit: { bytes: true },
        orderBy: [{ occurredAt: 'asc' }, { topic: 'asc' }, { sequence: 'asc' }],
      });
      return settlementView({
        settlement,
        deal: await database.deal.findUniqueOrThrow({ where: { key: dealKey } }),
        orders: await database.orderPlacement.findMany({ where: { contractId }, orderBy: { side: 'asc' } }),
        legs: await database.paymentLeg.findMany({ where: { contractId }, orderBy: [...bySide] }),
        deliveries: await database.delivery.findMany({ where: { contractId }, orderBy: [...bySide] }),
        holds: await database.hold.findMany({ where: { dealKey }, orderBy: { placedAt: 'asc' } }),
        decisions: await database.decision.findMany({ where: { contractId }, orderBy: { id: 'asc' } }),
        events,
        actions: await database.auditEntry.findMany({
          where: { OR: [{ contractId }, { details: { path: ['otherContract'], equals: hex(contractId) } }] },
          orderBy: { sequence: 'asc' },
        }),
        unpublished: await database.outbox.findMany({ where: { eventId: { in: events.map(({ id }) => id) } } }),
      });
    });
  }

  /** @throws RetryableError as `find` */
  async figures(): Promise<Figures> {
    return this.#atOneMoment(readFigures);
  }

  async close(): Promise<void> {
    await this.#prisma.$disconnect();
  }

  async #atOneMoment<T>(read: (database: Database) => Promise<T>): Promise<T> {
    try {
      return await this.#prisma.$transaction(read, { isolationLevel: 'RepeatableRead', timeout: 30_000 });
    } catch (error) {
      throw readError(error);
    }
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const LOGIN_REFUSED = ['P1000', 'P1010'];
const TLS_FAILED = 'P1011';
/** No such database, table or column. */
const NOT_THERE = ['P1003', 'P2021', 'P2022'];

/** Prisma's P1xxx say that the database cannot be reached or used; its messages may quote the query, so none is passed on. */
function readError(error: unknown): RetryableError {
  const reason = error instanceof Prisma.PrismaClientKnownRequestError ? error.code : 'unknown';
  if (LOGIN_REFUSED.includes(reason)) return authenticationFailed({ reason });
  if (reason === TLS_FAILED) return tlsFailed({ reason });
  if (NOT_THERE.includes(reason)) return notMigrated({ reason });
  return reason.startsWith('P1')
    ? new RetryableError('database_unavailable', 'The database cannot be reached or has gone away.', { reason })
    : new RetryableError('database_error', 'The database failed to answer.', { reason });
}
