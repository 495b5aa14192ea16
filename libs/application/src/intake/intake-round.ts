import { TerminalError, type ContractId, type Micros, type Refusal } from '@v402/domain';
import { kafkaMember } from '../events/members.js';
import type { SettlementStream } from '../events/settlement-stream.js';
import type { StoredEvent } from '../ports/event-store.js';
import {
  rejectionKey,
  type DecisionRecord,
  type QuarantineRecord,
  type RawMessage,
  type RejectionRecord,
} from '../ports/evidence-store.js';
import type { AcceptedContract, HoldCause, HoldRecord, NewSettlement } from '../ports/settlement-store.js';
import { DealStates } from './deal-states.js';
import { decide, type AcceptedLink, type ExaminedMessage } from './decide.js';
import { decisionOf } from './decision-record.js';
import type { IdentifiedMessage } from './inbound-message.js';
import { initialRows, type InitialRows } from './initial-rows.js';
import type { IntakeContext } from './intake-context.js';
import { acceptedData, equivocationEvent } from './intake-events.js';
import { servedSides } from './policy.js';
import { membersOf, RoundStreams } from './round-streams.js';

type SettlementDraft = Omit<NewSettlement, 'position' | 'current'>;
type NewRejection = RejectionRecord & { readonly examined: ExaminedMessage };

/**
 * Decides messages one by one and collects what is to be written, so that one transaction can write it in bulk. Nothing
 * here touches the database: the state that it decides on was read under the deals' locks.
 */
export class IntakeRound {
  readonly raws = new Map<string, RawMessage>();
  readonly decisions: DecisionRecord[] = [];
  readonly rejections = new Map<string, NewRejection>();
  readonly drafts: SettlementDraft[] = [];
  readonly rows: InitialRows[] = [];
  /** Bases that an amendment has replaced before anything of them started. */
  readonly replaced: ContractId[] = [];
  /** Contracts that are no longer their deal's current one: replaced, or amended after they started. */
  readonly retired: ContractId[] = [];
  readonly duplicates = new Map<ContractId, number>();
  readonly quarantines: QuarantineRecord[] = [];
  readonly quarantineRepeats = new Map<ContractId, number>();
  readonly holds: HoldRecord[] = [];
  /** Events outside any settlement's stream. */
  readonly looseEvents: StoredEvent[] = [];

  readonly #accepted = new Set<ContractId>();
  readonly #deals: DealStates;
  readonly #streams: RoundStreams;

  constructor(
    private readonly context: IntakeContext,
    stored: readonly AcceptedContract[],
    quarantined: ReadonlySet<ContractId>,
    readonly now: Micros,
  ) {
    this.#deals = new DealStates(stored, quarantined);
    this.#streams = new RoundStreams(context.naming, stored, now);
  }

  /** Of the settlements that the round writes events on. */
  get streams(): ReadonlyMap<ContractId, SettlementStream> {
    return this.#streams.open;
  }

  /**
   * Decides the next message.
   * @returns false where it amends a contract that this round has accepted itself: it belongs to the next round, which
   *   sees that contract stored
   */
  take(examined: ExaminedMessage): boolean {
    const { identified } = examined;
    if (identified === undefined) {
      if (examined.verdict === 'known' || !('refusal' in examined.verdict)) throw unidentified();
      this.#refuse(examined, examined.verdict.refusal);
      return true;
    }
    const decision = decide(examined, identified, this.#deals.of(identified.deal.key));
    switch (decision.kind) {
      case 'duplicate':
        count(this.duplicates, identified.contractId);
        return true;
      case 'still_quarantined':
        count(this.quarantineRepeats, identified.contractId);
        return true;
      case 'refused':
        this.#refuse(examined, decision.refusal);
        return true;
      case 'equivocation':
        this.#quarantine(examined, identified, decision.conflictsWith, decision.unexpired);
        return true;
      case 'accepted':
        this.#accept(examined, identified, { orderReference: identified.shortRef, startsNow: true });
        return true;
      case 'replaces':
        if (this.#accepted.has(decision.base.contractId)) return false;
        this.#replace(identified, decision.base);
        this.#accept(examined, identified, { orderReference: decision.base.orderReference, startsNow: true });
        return true;
      case 'amends_after_start':
        if (this.#accepted.has(decision.base.contractId)) return false;
        this.retired.push(decision.base.contractId);
        this.#accept(examined, identified, { orderReference: decision.base.orderReference, startsNow: false });
        this.#hold(
          identified,
          identified,
          {
            reason: 'amendment_after_start',
            evidence: { baseContractId: decision.base.contractId, amendmentContractId: identified.contractId },
          },
          this.#streams.acceptedId(identified.contractId),
        );
        return true;
    }
  }

  /** Accepts a contract in the place of the current one, of which nothing has started, as an operator decided. */
  takeInstead(examined: ExaminedMessage, identified: IdentifiedMessage, current: AcceptedLink): void {
    const isOfChain = identified.envelope.contract.supersedes !== undefined;
    const orderReference = isOfChain ? current.orderReference : identified.shortRef;
    this.#replace(identified, current);
    this.#accept(examined, identified, { orderReference, startsNow: true });
  }

  #refuse(examined: ExaminedMessage, { code, where }: Refusal): void {
    const { identified, raw } = examined;
    const key = rejectionKey({ rawDigest: raw.digest, code });
    const earlier = this.rejections.get(key);
    if (earlier !== undefined) {
      this.rejections.set(key, { ...earlier, occurrences: earlier.occurrences + 1 });
      return;
    }
    this.raws.set(raw.digest, raw);
    this.rejections.set(key, {
      rawDigest: raw.digest,
      code,
      where,
      contractId: identified?.contractId,
      negotiationId: identified?.deal.negotiationId,
      occurrences: 1,
      examined,
    });
  }

  #quarantine(
    examined: ExaminedMessage,
    identified: IdentifiedMessage,
    conflictsWith: AcceptedLink,
    unexpired: boolean,
  ): void {
    const { contractId } = identified;
    const held = unexpired && this.context.policy.conflict === 'hold';
    this.#decided(examined, 'quarantined', contractId, 'negotiation_conflict');
    const about = { conflictsWith: conflictsWith.contractId, held, now: this.now };
    const announcement = equivocationEvent(this.context.naming, examined, identified, about);
    this.looseEvents.push(announcement);
    const { digest: rawDigest } = examined.raw;
    const kafka = kafkaMember(examined.message.coordinates);
    const cause: HoldCause = {
      reason: 'equivocation',
      evidence: { conflictingContractId: contractId, rawDigest, kafka },
    };
    const hold = held ? this.#hold(identified, conflictsWith, cause, announcement.id) : undefined;
    this.quarantines.push({
      id: this.context.ids.next(),
      reason: 'equivocation',
      code: 'negotiation_conflict',
      contractId,
      conflictsWith: conflictsWith.contractId,
      rawDigest,
      side: undefined,
      holdId: hold?.id,
    });
    this.#deals.quarantine(contractId);
  }

  #replace(identified: IdentifiedMessage, base: AcceptedLink): void {
    this.retired.push(base.contractId);
    this.replaced.push(base.contractId);
    this.#streams
      .of(base.contractId, identified)
      .append(
        'org.v402.settlement.superseded.v1',
        { subjectId: base.contractId, n: 1, causedBy: this.#streams.acceptedId(identified.contractId) },
        { ...membersOf(base, identified), supersededBy: identified.contractId },
      );
  }

  /**
   * @param how.startsNow false for an amendment of what has started: its rows exist, but it has no work until an operator
   *   has decided what becomes of what its base has already asked for
   */
  #accept(
    examined: ExaminedMessage,
    identified: IdentifiedMessage,
    { orderReference, startsNow }: { readonly orderReference: string; readonly startsNow: boolean },
  ): void {
    const { contractId, shortRef, canonical, deal } = identified;
    const { contract } = identified.envelope;
    const { policy } = this.context;
    const sides = servedSides(policy, contract);
    this.#decided(examined, 'accepted', contractId);
    const { traceparent } = examined.message;
    const acceptedAt = this.#streams
      .begin(identified, traceparent)
      .append(
        'org.v402.settlement.accepted.v1',
        { subjectId: contractId, n: 1 },
        acceptedData({ examined, identified, sides, orderReference }),
      );
    this.drafts.push({
      contractId,
      dealKey: deal.key,
      state: 'accepted',
      shortRef,
      orderReference,
      canonical,
      traceparent,
      supersedes: contract.supersedes,
      currency: contract.terms.currency,
      total: contract.terms.total,
      agreedAt: contract.agreedAt,
      expiresAt: contract.expiresAt,
      acceptedAt,
    });
    const rows = sides.map((side) => initialRows(contractId, contract, side));
    this.rows.push(...(startsNow ? rows : rows.map((each) => ({ ...each, work: [] }))));
    this.#accepted.add(contractId);
    this.#deals.accept(deal.key, { contractId, shortRef, orderReference, started: false });
  }

  /** Announces the hold on the stream of `on`, a contract of the same deal. */
  #hold(
    identified: IdentifiedMessage,
    on: Pick<AcceptedLink, 'contractId' | 'shortRef'>,
    cause: HoldCause,
    causedBy: string,
  ): HoldRecord {
    const { contractId } = on;
    const hold = { id: this.context.ids.next(), dealKey: identified.deal.key, contractId, cause, placedBy: 'intake' };
    this.holds.push(hold);
    this.#streams
      .of(contractId, identified)
      .append(
        'org.v402.hold.placed.v1',
        { subjectId: hold.id, n: 1, causedBy },
        { ...membersOf(on, identified), holdId: hold.id, ...cause },
      );
    return hold;
  }

  #decided(examined: ExaminedMessage, outcome: DecisionRecord['outcome'], contractId: ContractId, code?: string): void {
    const { raw, verdict } = examined;
    this.raws.set(raw.digest, raw);
    const keys = verdict !== 'known' && 'keys' in verdict ? verdict.keys : [];
    this.decisions.push(decisionOf(this.context, examined, { outcome, code, contractId, keys }));
  }
}

function count(counts: Map<ContractId, number>, contractId: ContractId): void {
  counts.set(contractId, (counts.get(contractId) ?? 0) + 1);
}

const unidentified = (): TerminalError =>
  new TerminalError('examination_incomplete', 'A message without an identity has neither a refusal nor a contract.');
