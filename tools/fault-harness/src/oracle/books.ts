import type { HoldRow, Seen, SeenEvent, SeenOrder, SettlementRow } from './seen.js';

/** What was seen, by contract and by negotiation. */
export class Books {
  readonly #settlements: ReadonlyMap<string, readonly SettlementRow[]>;
  readonly #events: ReadonlyMap<string, readonly SeenEvent[]>;
  readonly #orders: ReadonlyMap<string, readonly SeenOrder[]>;
  readonly #rejections: ReadonlyMap<string, readonly Seen['rejections'][number][]>;
  readonly #quarantine: ReadonlyMap<string | null, readonly Seen['quarantine'][number][]>;
  readonly #displacing: ReadonlyMap<string | null, readonly Seen['quarantine'][number][]>;
  readonly #undecidable: ReadonlyMap<string | null, readonly Seen['quarantine'][number][]>;
  readonly #holds: ReadonlyMap<string, readonly HoldRow[]>;
  readonly #legs: ReadonlyMap<string, readonly Seen['legs'][number][]>;
  readonly #refusals: ReadonlyMap<string | undefined, readonly SeenEvent[]>;

  constructor(readonly seen: Seen) {
    this.#settlements = Map.groupBy(seen.settlements, ({ contractId }) => contractId);
    const distinct = new Map(seen.events.map((event) => [event.id, event]));
    this.#events = Map.groupBy(distinct.values(), ({ subject }) => subject);
    this.#refusals = Map.groupBy(
      [...distinct.values()].filter(({ type }) => type === 'org.v402.contract.rejected.v1'),
      ({ data }) => data.rawDigest,
    );
    this.#orders = Map.groupBy(seen.orders, ({ contractId }) => contractId);
    this.#rejections = Map.groupBy(seen.rejections, ({ rawDigest }) => rawDigest);
    this.#quarantine = Map.groupBy(
      seen.quarantine.filter(({ reason }) => reason !== 'undecidable_message'),
      ({ contractId }) => contractId,
    );
    this.#displacing = Map.groupBy(
      seen.quarantine.filter(({ reason, resolution }) => reason === 'equivocation' && resolution === 'release'),
      ({ conflictsWith }) => conflictsWith,
    );
    this.#undecidable = Map.groupBy(
      seen.quarantine.filter(({ reason }) => reason === 'undecidable_message'),
      ({ rawDigest }) => rawDigest,
    );
    this.#holds = Map.groupBy(seen.holds, ({ negotiationId }) => negotiationId);
    this.#legs = Map.groupBy(seen.legs, ({ contractId }) => contractId);
  }

  settlements(contractId: string): readonly SettlementRow[] {
    return this.#settlements.get(contractId) ?? [];
  }

  /** Each event once. */
  events(subject: string): readonly SeenEvent[] {
    return this.#events.get(subject) ?? [];
  }

  orders(contractId: string): readonly SeenOrder[] {
    return this.#orders.get(contractId) ?? [];
  }

  /** Codes of a refused content. */
  rejectionCodes(rawDigest: string): readonly string[] {
    return (this.#rejections.get(rawDigest) ?? []).map(({ code }) => code);
  }

  /** Codes with which the refusal of a content was announced, each event once. */
  announcedCodes(rawDigest: string): readonly (string | undefined)[] {
    return (this.#refusals.get(rawDigest) ?? []).map(({ data }) => data.code);
  }

  quarantine(contractId: string): Seen['quarantine'] {
    return this.#quarantine.get(contractId) ?? [];
  }

  /** Conflicts with a contract that an operator has put in its place. */
  displacing(contractId: string): Seen['quarantine'] {
    return this.#displacing.get(contractId) ?? [];
  }

  /** Messages that could not be decided, by their content. */
  undecidable(rawDigest: string): Seen['quarantine'] {
    return this.#undecidable.get(rawDigest) ?? [];
  }

  /** Of a deal, released ones too. */
  holds(negotiationId: string): readonly HoldRow[] {
    return this.#holds.get(negotiationId) ?? [];
  }

  openHolds(negotiationId: string): readonly HoldRow[] {
    return this.holds(negotiationId).filter(({ isOpen }) => isOpen);
  }

  legSums(contractId: string): Seen['legs'] {
    return this.#legs.get(contractId) ?? [];
  }
}
