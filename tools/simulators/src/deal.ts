import {
  buildContract,
  buildTranscript,
  identifyContract,
  type ContractDraft,
  type SettlementEnvelope,
  type TranscriptMessage,
} from '@v402/contract';
import {
  addSeconds,
  dateOf,
  SIDES,
  STRATEGIES,
  sumDecimals,
  type DecimalText,
  type Instant,
  type SettlementContract,
  type Side,
} from '@v402/domain';
import { signContract, type SigningKey } from '@v402/signatures';
import { GOOD_KEYS, type Agent, type GoodKey } from './agents.js';
import { PARTNER_COMPANIES, SERVED_COMPANIES, type Company } from './companies.js';
import type { Random } from './random.js';
import { draftTerms } from './terms-drafts.js';
import type { World } from './world.js';

/** A deal that two agents have struck: a contract, and what it takes to sign it or another in its place. */
export interface Deal {
  readonly draft: ContractDraft;
  readonly contract: SettlementContract;
  readonly agents: Readonly<Record<Side, Agent>>;
  readonly keys: Readonly<Record<Side, GoodKey>>;
  readonly transcript: readonly TranscriptMessage[];
  /** Whether the transcript travels with the contract. */
  readonly showsTranscript: boolean;
}

/** Where and when a deal is struck. */
export interface DealTimes {
  readonly agreedAt: Instant;
  readonly expiresAt: Instant;
}

/** Strikes deals of realistic variety. Every combination of signature suites comes in turn. */
export class DealMaker {
  #made = 0;

  constructor(
    private readonly random: Random,
    private readonly world: World,
    /** Tells the negotiations of this run from those of others. */
    private readonly name: string,
  ) {}

  /** A deal agreed within the last minutes, open for a day, unless told otherwise. */
  make(times: DealTimes = this.#justNow()): Deal {
    const index = this.#made++;
    const { buyer, seller } = this.#parties();
    const { random } = this;
    const transcript = this.#negotiate(times.agreedAt);
    const draft: ContractDraft = {
      ...draftTerms(random, buyer, seller, dateOf(times.agreedAt)),
      negotiationId: `${this.name}-${String(index + 1).padStart(6, '0')}`,
      parties: { buyer: partyOf(buyer), seller: partyOf(seller) },
      strategies: { buyer: random.pick(STRATEGIES), seller: random.pick(STRATEGIES) },
      transcript,
      expiresAt: times.expiresAt,
      ...(random.chance(30) && { extensions: { 'com.example.costCentre': String(random.int(1_000, 9_999)) } }),
    };
    return {
      draft,
      contract: buildContract(draft),
      agents: { buyer: this.world.agentOf(buyer), seller: this.world.agentOf(seller) },
      keys: { buyer: keyAt(index), seller: keyAt(Math.floor(index / GOOD_KEYS.length)) },
      transcript,
      showsTranscript: random.chance(30),
    };
  }

  #justNow(): DealTimes {
    const agreedAt = addSeconds(this.world.now, -this.random.int(5, 300));
    return { agreedAt, expiresAt: addSeconds(agreedAt, 86_400) };
  }

  /** One side at least is served; sometimes both are. */
  #parties(): Readonly<Record<Side, Company>> {
    const { random } = this;
    const [own, sister] = random.sample(SERVED_COMPANIES, 2);
    const partner = random.pick(PARTNER_COMPANIES);
    if (own === undefined || sister === undefined) throw new RangeError('A group has two companies at least.');
    const other = random.chance(15) ? sister : partner;
    return random.chance(50) ? { buyer: own, seller: other } : { buyer: other, seller: own };
  }

  #negotiate(agreedAt: Instant): readonly TranscriptMessage[] {
    return buildTranscript({
      rounds: this.random.int(0, 7),
      agreedAt,
      intervalSeconds: this.random.int(0, 3),
      bodyOf: ({ seq, type }) => (type === 'proposal' ? { offer: `revision ${seq}`, days: seq } : {}),
    });
  }
}

function partyOf({ id, name }: Company): { readonly id: string; readonly name: string } {
  return { id, name };
}

function keyAt(index: number): GoodKey {
  return GOOD_KEYS[index % GOOD_KEYS.length] ?? GOOD_KEYS[0];
}

/** Signs what the agents of a deal are given to sign, with the keys of the deal unless others are named. */
export function sign(
  deal: Deal,
  contract: SettlementContract = deal.contract,
  keys: Partial<Readonly<Record<Side, SigningKey>>> = {},
): SettlementEnvelope {
  const signatures = SIDES.map((side) =>
    signContract(contract, side, keys[side] ?? deal.agents[side].key(deal.keys[side])),
  );
  return { contract, signatures, ...(deal.showsTranscript && { transcript: deal.transcript }) };
}

/** The Kafka value of an envelope, be it good or not. */
export function bytesOf(envelope: unknown): Buffer {
  return Buffer.from(JSON.stringify(envelope), 'utf8');
}

/** What a contract is known by. */
export function contractIdOf(contract: SettlementContract): string {
  return identifyContract(contract).contractId;
}

/** A deal between the same parties in the same negotiation, at a higher price. */
export function changed(deal: Deal, changes: Partial<Deal['draft']>): Deal {
  const { lines = [] } = deal.draft;
  const raised = lines.map((line, index) => (index === 0 ? { ...line, unitPrice: raisedPrice(line) } : line));
  const draft = { ...deal.draft, lines: raised, ...changes };
  return { ...deal, draft, contract: buildContract(draft) };
}

function raisedPrice({ unitPrice }: { readonly unitPrice: DecimalText }): DecimalText {
  return sumDecimals([unitPrice, '0.5']);
}
