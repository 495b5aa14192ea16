import { eventId } from '@v402/events';
import { TerminalError, type ContractId, type Micros } from '@v402/domain';
import { settlementMembers, type SettlementMembers } from '../events/members.js';
import { SettlementStream, type EventNaming } from '../events/settlement-stream.js';
import type { AcceptedContract } from '../ports/settlement-store.js';
import type { AcceptedLink } from './decide.js';
import type { IdentifiedMessage } from './inbound-message.js';

/** The streams of the settlements that a round of intake writes events on: new ones, and those that were read under their locks. */
export class RoundStreams {
  readonly #open = new Map<ContractId, SettlementStream>();
  readonly #stored: ReadonlyMap<ContractId, AcceptedContract>;

  constructor(
    private readonly naming: EventNaming,
    stored: readonly AcceptedContract[],
    private readonly now: Micros,
  ) {
    this.#stored = new Map(stored.map((settlement) => [settlement.contractId, settlement]));
  }

  get open(): ReadonlyMap<ContractId, SettlementStream> {
    return this.#open;
  }

  /** The stream of a contract that the round accepts. */
  begin({ contractId, deal }: IdentifiedMessage, traceparent: string | undefined): SettlementStream {
    return this.#begin(contractId, deal.negotiationId, { traceparent, position: FIRST });
  }

  /** @throws TerminalError `settlement_not_locked` for a contract that is neither new nor was read */
  of(contractId: ContractId, { deal }: IdentifiedMessage): SettlementStream {
    const open = this.#open.get(contractId);
    if (open !== undefined) return open;
    const stored = this.#stored.get(contractId);
    if (stored === undefined) throw new TerminalError('settlement_not_locked', 'An event needs its settlement locked.');
    return this.#begin(contractId, deal.negotiationId, stored);
  }

  /** The id of the event that tells of a contract's acceptance. */
  acceptedId(contractId: ContractId): string {
    return eventId(this.naming.source, contractId, undefined, 'org.v402.settlement.accepted.v1', contractId, 1);
  }

  #begin(
    contractId: ContractId,
    negotiationId: string,
    { traceparent, position }: Pick<AcceptedContract, 'traceparent' | 'position'>,
  ): SettlementStream {
    const owner = { contractId, negotiationId, traceparent, position };
    const stream = new SettlementStream(this.naming, owner, this.now);
    this.#open.set(contractId, stream);
    return stream;
  }
}

const FIRST = { settlement: 0, payments: 0, deliveries: 0, lastEventAt: undefined };

/**
 * Members of an event on the stream of another contract of the same deal: the parties' ids are the deal's, but names are
 * each contract's own, and this one's do not belong there.
 */
export function membersOf(
  on: Pick<AcceptedLink, 'contractId' | 'shortRef'>,
  { contractId, deal, envelope }: IdentifiedMessage,
): SettlementMembers {
  if (on.contractId === contractId) return settlementMembers(on, envelope.contract);
  const { negotiationId, buyer, seller } = deal;
  return settlementMembers(on, { negotiationId, parties: { buyer: { id: buyer }, seller: { id: seller } } });
}
