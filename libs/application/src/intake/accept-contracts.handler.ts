import { isExpired, type SignatureVerifier } from '@v402/contract';
import { RetryableError, TerminalError, type Arrival, type Refusal, type RefusalCode } from '@v402/domain';
import { apart } from '../apart.js';
import { arrivalOfDatabase } from '../events/members.js';
import type { EventNaming } from '../events/settlement-stream.js';
import { coordinatesKey } from '../ports/evidence-store.js';
import type { Alarms, FaultPoint, Ids, Wake } from '../ports/seams.js';
import type { AcceptedContract, DealKey, DealRecord, HoldRecord } from '../ports/settlement-store.js';
import type { Transaction, UnitOfWork } from '../ports/unit-of-work.js';
import type { AcceptedLink, ExaminedMessage } from './decide.js';
import { FailedMessages } from './failed-messages.js';
import { examineMessage, readMessage, type ReadMessage } from './examine.js';
import { rawMessageOf, type IdentifiedMessage, type InboundMessage } from './inbound-message.js';
import type { IntakeContext } from './intake-context.js';
import { IntakeRound } from './intake-round.js';
import { parkUndecidable } from './park-undecidable.js';
import type { IntakePolicy } from './policy.js';
import { writeRound } from './write-round.js';

/** What became of a batch, by its messages' own count. */
export type IntakeCounts = Readonly<
  Record<'accepted' | 'duplicates' | 'rejected' | 'quarantined' | 'undecidable', number>
>;

/** The same, with the refusals by their code. */
export interface IntakeReport extends IntakeCounts {
  readonly refusals: ReadonlyMap<RefusalCode, number>;
}

/** A quarantined contract that was verified anew, and can be accepted. */
type VerifiedContract = ExaminedMessage & { readonly identified: IdentifiedMessage };

const NONE: IntakeReport = {
  accepted: 0,
  duplicates: 0,
  rejected: 0,
  quarantined: 0,
  undecidable: 0,
  refusals: new Map(),
};

/**
 * Decides messages of the contracts topic and records every decision: settlement, rejection, quarantine or duplicate.
 * When it returns, all of them are committed; only then may their Kafka offsets be resolved. Run again on the same
 * messages it changes nothing, so a lost offset costs nothing.
 */
export class AcceptContractsHandler {
  readonly #context: IntakeContext;
  readonly #failed = new FailedMessages();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    /** Who may sign with what, at this moment: what is looked at together is judged by one answer. */
    private readonly verifierInUse: () => SignatureVerifier,
    private readonly policy: IntakePolicy,
    naming: EventNaming,
    ids: Ids,
    private readonly wake: Wake,
    private readonly alarms: Alarms,
    private readonly faults: FaultPoint,
  ) {
    this.#context = { naming, policy, ids };
  }

  /**
   * @param messages in the order of their partitions and offsets
   * @throws RetryableError when a part is away: nothing of the batch was lost, and it is handled again
   */
  async handle(messages: readonly InboundMessage[]): Promise<IntakeReport> {
    if (messages.length === 0) return NONE;
    const parts = await apart(
      messages,
      (some) => this.#decideTogether(some),
      (one, error) => this.#park(one, error),
    );
    this.#failed.forget(messages);
    const counts = parts.reduce(add, NONE);
    await this.faults.reach('C2');
    if (counts.accepted > 0) this.wake.hint('orders', 'workflows');
    this.wake.hint('relay');
    return counts;
  }

  /**
   * Decides one message in a transaction of the caller's: one that could not be decided when it came. Nothing is parked.
   * @throws what keeps it from being decided; the transaction is to be rolled back then
   */
  async decideAgain(tx: Transaction, message: InboundMessage): Promise<IntakeCounts> {
    const read = [readMessage(message)];
    const examined = await this.#verify(read, { known: await this.#known(tx, read), arrivals: [] });
    return (await this.#decide(tx, examined)).counts;
  }

  /**
   * Verifies a quarantined contract anew: its stored bytes, as of their arrival.
   * @returns why it cannot be accepted, or what `acceptInstead` takes
   */
  async verifyAgain(message: InboundMessage): Promise<VerifiedContract | { readonly refusal: Refusal }> {
    const read = [readMessage(message)];
    const [examined] = await this.#verify(read, { known: new Set(), arrivals: [] });
    if (examined?.identified === undefined)
      throw new TerminalError('not_identified', 'A quarantined contract has an identity.');
    const { identified, verdict, arrival } = examined;
    if (verdict !== 'known' && 'refusal' in verdict) return verdict;
    if (isExpired(identified.envelope.contract, arrival.at)) {
      return { refusal: { code: 'expired', where: '/contract/expiresAt' } };
    }
    return { ...examined, identified };
  }

  /**
   * Accepts a quarantined contract in the place of its deal's current one, in a transaction of the caller's, who holds the
   * deal's lock and has seen that nothing of the deal has started.
   */
  async acceptInstead(tx: Transaction, verified: VerifiedContract, current: AcceptedContract): Promise<void> {
    const { identified } = verified;
    const stored = await tx.settlements.lockOfDeals([identified.deal.key]);
    const round = new IntakeRound(this.#context, stored, new Set(), await tx.now());
    const base: AcceptedLink = { ...current, started: false };
    round.takeInstead(verified, identified, base);
    await writeRound(tx, this.#context, round);
  }

  /** Everything that needs no lock: what is known is looked up, the rest is verified. */
  async #examine(read: readonly ReadMessage[]): Promise<ExaminedMessage[]> {
    const earlier = await this.unitOfWork.run(async (tx) => {
      return { known: await this.#known(tx, read), arrivals: await this.#arrivals(tx, read) };
    });
    return this.#verify(read, earlier);
  }

  #verify(
    read: readonly ReadMessage[],
    { known, arrivals }: { readonly known: ReadonlySet<string>; readonly arrivals: readonly Arrival[] },
  ): Promise<ExaminedMessage[]> {
    const verifier = this.verifierInUse();
    return Promise.all(
      read.map((each, index) => {
        const arrival = each.message.arrival ?? arrivals[index];
        if (arrival === undefined) throw new TerminalError('arrival_missing', 'Every message has an arrival.');
        return examineMessage(each, arrival, known, this.policy, verifier);
      }),
    );
  }

  async #known(tx: Transaction, read: readonly ReadMessage[]): Promise<ReadonlySet<string>> {
    const ids = read.flatMap(({ result }) => ('identified' in result ? [result.identified.contractId] : []));
    return new Set([...(await tx.settlements.accepted(ids)), ...(await tx.evidence.quarantined(ids))]);
  }

  /** Where the broker does not say when a message arrived, the database does, once: a redelivery keeps its answer. */
  async #arrivals(tx: Transaction, read: readonly ReadMessage[]): Promise<readonly Arrival[]> {
    const silent = read.filter(({ message }) => message.arrival === undefined);
    if (silent.length === 0) return [];
    const earlier = await tx.evidence.earlierArrivals(
      silent.map(({ message, raw }) => ({ coordinates: message.coordinates, rawDigest: raw.digest })),
    );
    const now = arrivalOfDatabase(await tx.now());
    return read.map(({ message }) => earlier.get(coordinatesKey(message.coordinates)) ?? now);
  }

  /** One transaction for all of them. */
  async #decideTogether(messages: readonly InboundMessage[]): Promise<IntakeReport> {
    const examined = await this.#examine(messages.map(readMessage));
    const { counts, holds } = await this.unitOfWork.run(async (tx) => {
      const decided = await this.#decide(tx, examined);
      await tx.input.advance(
        examined.map(({ message, raw }) => ({ coordinates: message.coordinates, rawDigest: raw.digest })),
      );
      return decided;
    });
    this.#failed.decided();
    this.#failed.forget(messages);
    for (const { contractId, cause } of holds) {
      const message = 'A deal is held, since its contracts contradict what has begun. A person has to look.';
      this.alarms.raise('deal_held', message, { contractId, reason: cause.reason });
    }
    return counts;
  }

  /**
   * A refused value is parked at once; a failure that nobody foresaw may pass, so it is tried again a few times, and one
   * that waits for a lock more often. What follows it may build on it, so it is not overtaken meanwhile.
   */
  async #park(message: InboundMessage, error: unknown): Promise<IntakeReport> {
    if (!this.#failed.isEnough(message, error)) throw error;
    const raw = rawMessageOf(message.value);
    const { registryDigest } = this.verifierInUse();
    const isNew = await this.unitOfWork.run(async (tx) => {
      const arrival = message.arrival ?? arrivalOfDatabase(await tx.now());
      const parked = await parkUndecidable(tx, this.#context, { message, raw, arrival, registryDigest });
      await tx.input.advance([{ coordinates: message.coordinates, rawDigest: raw.digest }]);
      await this.faults.reach('C9');
      return parked;
    });
    if (isNew) this.#sayParked(raw.digest, error);
    return { ...NONE, undecidable: 1 };
  }

  #sayParked(digest: string, error: unknown): void {
    const known =
      error instanceof TerminalError || error instanceof RetryableError
        ? { ...error.context, reason: error.code }
        : { reason: 'unexpected_error' };
    this.alarms.raise('undecidable_message', 'A message could not be decided. It is parked with its bytes.', {
      ...known,
      digest,
    });
  }

  /** T1: lock the deals, decide message by message on what is stored, write everything in bulk. */
  async #decide(
    tx: Transaction,
    examined: readonly ExaminedMessage[],
  ): Promise<{ readonly counts: IntakeReport; readonly holds: readonly HoldRecord[] }> {
    const keys = await this.#lockDeals(tx, examined);
    const ids = examined.flatMap(({ identified }) => (identified === undefined ? [] : [identified.contractId]));
    const closed = await tx.evidence.countClosed(examined.map(({ raw }) => raw.digest));
    const open = examined.filter(({ raw }) => !closed.has(raw.digest));
    let counts: IntakeReport = { ...NONE, quarantined: examined.length - open.length };
    const holds: HoldRecord[] = [];
    let next = 0;
    while (next < open.length) {
      // More than one round only where an amendment follows its base within the batch.
      const stored = await tx.settlements.lockOfDeals(keys);
      const quarantined = await tx.evidence.quarantined(ids);
      const round = new IntakeRound(this.#context, stored, quarantined, await tx.now());
      for (let one = open[next]; one !== undefined && round.take(one); one = open[next]) next += 1;
      counts = add(counts, await writeRound(tx, this.#context, round));
      holds.push(...round.holds);
    }
    await this.faults.reach('C1');
    return { counts, holds };
  }

  /** A message refused before this point creates no deal, but is decided under the deal's lock if there is one. */
  async #lockDeals(tx: Transaction, examined: readonly ExaminedMessage[]): Promise<readonly DealKey[]> {
    const deals = new Map<DealKey, DealRecord>();
    const candidates = new Map<DealKey, DealRecord>();
    for (const { identified, verdict } of examined) {
      if (identified === undefined) continue;
      deals.set(identified.deal.key, identified.deal);
      if (verdict !== 'known' && 'keys' in verdict) candidates.set(identified.deal.key, identified.deal);
    }
    await tx.deals.insertMissing([...candidates.values()]);
    const keys = [...deals.keys()];
    await tx.deals.lock(keys);
    return keys;
  }
}

function add(left: IntakeReport, right: IntakeReport): IntakeReport {
  const refusals = new Map(left.refusals);
  for (const [code, count] of right.refusals) refusals.set(code, (refusals.get(code) ?? 0) + count);
  return {
    accepted: left.accepted + right.accepted,
    duplicates: left.duplicates + right.duplicates,
    rejected: left.rejected + right.rejected,
    quarantined: left.quarantined + right.quarantined,
    undecidable: left.undecidable + right.undecidable,
    refusals,
  };
}
