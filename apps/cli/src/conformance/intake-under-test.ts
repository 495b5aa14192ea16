import { randomUUID } from 'node:crypto';
import { AcceptContractsHandler, Alarms, Ids, NoFaults, Wake } from '@v402/application';
import type { SignatureVerifier } from '@v402/contract';
import type { Instant } from '@v402/domain';
import { DEFAULT_TOPICS, handlerSource } from '@v402/events';
import { PgUnitOfWork, ScratchDatabase, type RecordedOutcome } from '@v402/persistence';

const NAMING = { source: handlerSource('conformance'), topics: DEFAULT_TOPICS };

class RandomIds extends Ids {
  override next(): string {
    return randomUUID();
  }
}

/** No other role runs beside it. */
class NobodyToWake extends Wake {
  override hint(): void {
    return undefined;
  }
}

/** What deserves an alarm shows in the outcome. */
class SilentAlarms extends Alarms {
  override raise(): void {
    return undefined;
  }
}

/** A message as a vector gives it. */
interface TestMessage {
  readonly value: Uint8Array;
  readonly arrival: Instant;
  readonly handlerId: string | null;
}

/** What a message has changed in the database. */
export type Change = Omit<RecordedOutcome, 'times'>;

/**
 * The accept-contracts handler of production on the repositories of production, over a real PostgreSQL. Only the clock
 * is given: when each message arrives. What became of a message is read from the database, not asked of the handler.
 */
export class IntakeUnderTest {
  #before: ReadonlyMap<string, RecordedOutcome> = new Map();
  #offset = 0n;

  private constructor(
    private readonly database: ScratchDatabase,
    private readonly unitOfWork: PgUnitOfWork,
    private readonly verifier: SignatureVerifier,
  ) {}

  /**
   * @param adminUrl of the PostgreSQL to use; a database is made there, and dropped by `close`
   * @throws RetryableError `database_unreachable`
   */
  static async start(adminUrl: string, verifier: SignatureVerifier): Promise<IntakeUnderTest> {
    const database = await ScratchDatabase.create(adminUrl);
    const unitOfWork = new PgUnitOfWork({ url: database.appUrl, applicationName: 'v402 conformance' });
    return new IntakeUnderTest(database, unitOfWork, verifier);
  }

  /** Forgets every message. */
  async clear(): Promise<void> {
    await this.database.clear();
    this.#before = new Map();
  }

  /** Handles one message and returns what it has changed: one change, unless something is wrong. */
  async handle({ value, arrival, handlerId }: TestMessage): Promise<readonly Change[]> {
    const coordinates = { topic: 'conformance', partition: 0, offset: this.#offset };
    this.#offset += 1n;
    await this.#handlerOf(handlerId).handle([
      { coordinates, value, arrival: { at: arrival, source: 'broker' }, traceparent: undefined },
    ]);
    const after = await this.database.outcomes();
    const changes = [...after].flatMap(([key, outcome]) => {
      const { times, ...change } = outcome;
      return Array.from({ length: times - (this.#before.get(key)?.times ?? 0) }, () => change);
    });
    this.#before = after;
    return changes;
  }

  /** Drops the database. */
  async close(): Promise<void> {
    await this.unitOfWork.close();
    await this.database.drop();
  }

  #handlerOf(handlerId: string | null): AcceptContractsHandler {
    return new AcceptContractsHandler(
      this.unitOfWork,
      () => this.verifier,
      { handlerId, servedParties: null, requireTranscript: false, conflict: 'hold', codeVersion: 'conformance' },
      NAMING,
      new RandomIds(),
      new NobodyToWake(),
      new SilentAlarms(),
      new NoFaults(),
    );
  }
}
