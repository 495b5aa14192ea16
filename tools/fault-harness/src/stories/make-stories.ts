import { createHash } from 'node:crypto';
import { addSeconds, type Instant } from '@v402/domain';
import {
  bytesOf,
  changed,
  contractIdOf,
  DealMaker,
  FAULTS,
  HANDLING,
  paymentAccounts,
  Random,
  sign,
  World,
  type Deal,
  type DealTimes,
  type FaultCode,
  type SimulatedTrade,
} from '@v402/simulators';
import type { GoodContract, Send, Story } from './story.js';

export interface StoryOptions {
  readonly seed: number;
  /** How many messages that differ from each other; each is sent several times. */
  readonly contracts: number;
  readonly now: Instant;
  /** Each message comes once instead: what gets lost is not healed by another delivery. */
  readonly once?: boolean;
}

export interface Stories {
  readonly stories: readonly Story[];
  /** Every message three times, at different moments and under different keys, so that several processes have it. */
  readonly sends: readonly Send[];
  /** How often each message is sent. */
  readonly copies: number;
  /** How the system has to be configured for them. */
  readonly trade: Pick<SimulatedTrade, 'handling' | 'trustRegistry' | 'paymentAccounts'>;
}

/** Marks a negotiation whose contract the database is made to refuse. */
export const POISON = 'poison';

const DELIVERIES = 3;
const CODES = Object.keys(FAULTS) as FaultCode[];

/** Percent of the stories; what is left is agreed without further ado. */
const SHARES = { refused: 9, rivals: 6, amended: 8, forked: 3, poison: 1, tampered: 3 } as const;

/**
 * Times that only a handler decides rightly which does not go by the clock of its process. A contract may be agreed five
 * minutes ahead, and processes are wrong by as much; a run takes longer, but its beginning is enough.
 */
const JUST_AHEAD = { agreed: 240, expires: 86_400 } as const;
const JUST_EXPIRED = { agreed: -3_600, expires: -60 } as const;

/** Makes stories and the order in which their messages are sent. The same seed makes the same ones. */
export function makeStories({ seed, contracts, now, once = false }: StoryOptions): Stories {
  const world = new World(seed, now);
  const random = new Random(seed);
  const teller = new Teller(random, world, seed);
  const stories: Story[] = [];
  for (let messages = 0; messages < contracts;) {
    const story = teller.next();
    stories.push(story);
    messages += messagesOf(story).length;
  }
  const trade = { handling: HANDLING, trustRegistry: world.trustRegistry(), paymentAccounts: paymentAccounts() };
  return { stories, sends: sendsOf(stories, random, once), copies: once ? 1 : DELIVERIES, trade };
}

class Teller {
  readonly #deals: DealMaker;
  readonly #poisoned: DealMaker;
  #refused = 0;

  constructor(
    private readonly random: Random,
    private readonly world: World,
    seed: number,
  ) {
    this.#deals = new DealMaker(random, world, `flt-${seed}`);
    this.#poisoned = new DealMaker(random, world, `${POISON}-${seed}`);
  }

  next(): Story {
    const kind = this.#kind();
    switch (kind) {
      case 'agreed':
        return { kind, contract: good(this.#deals.make(this.random.chance(5) ? this.#at(JUST_AHEAD) : undefined)) };
      case 'tampered': {
        const deal = this.#deals.make();
        const { contract, signatures } = sign(deal);
        const copy = bytesOf({ contract, signatures: signatures.slice(0, 1) });
        return { kind, contract: good(deal), copy, code: 'signature_missing' };
      }
      case 'poison':
        return { kind, contract: good(this.#poisoned.make()) };
      case 'refused':
        return this.#refusal();
      case 'rivals': {
        const deal = this.#deals.make();
        return { kind, rivals: [good(deal), good(changed(deal, {}))] };
      }
      case 'amended':
        return { kind, chain: this.#chain() };
      case 'forked': {
        const base = this.#deals.make();
        const supersedes = contractIdOf(base.contract);
        const one = changed(base, { supersedes });
        return { kind, base: good(base), amendments: [good(one), good(changed(one, { supersedes }))] };
      }
    }
  }

  #at({ agreed, expires }: { readonly agreed: number; readonly expires: number }): DealTimes {
    const { now } = this.world;
    return { agreedAt: addSeconds(now, agreed), expiresAt: addSeconds(now, expires) };
  }

  #kind(): Story['kind'] {
    let left = this.random.int(1, 100);
    for (const [kind, share] of Object.entries(SHARES) as [keyof typeof SHARES, number][]) {
      left -= share;
      if (left <= 0) return kind;
    }
    return 'agreed';
  }

  #chain(): readonly [GoodContract, ...GoodContract[]] {
    let deal = this.#deals.make();
    const chain: [GoodContract, ...GoodContract[]] = [good(deal)];
    for (let amendments = this.random.int(1, 2); amendments > 0; amendments -= 1) {
      deal = changed(deal, { supersedes: contractIdOf(deal.contract) });
      chain.push(good(deal));
    }
    return chain;
  }

  /** Every code in turn. */
  #refusal(): Story {
    const index = this.#refused++;
    const code = CODES[index % CODES.length] ?? 'expired';
    const ways = FAULTS[code];
    const way = ways[Math.floor(index / CODES.length) % ways.length] ?? ways[0];
    const isJustExpired = code === 'expired' && this.random.chance(70);
    const value = isJustExpired
      ? bytesOf(sign(this.#deals.make(this.#at(JUST_EXPIRED))))
      : way({ deals: this.#deals, world: this.world }).value;
    const rawDigest = createHash('sha256')
      .update(value ?? new Uint8Array())
      .digest('hex');
    return { kind: 'refused', code, value, rawDigest };
  }
}

function good(deal: Deal): GoodContract {
  const { contract } = deal;
  return { contractId: contractIdOf(contract), contract, value: bytesOf(sign(deal)) };
}

/** The contracts of a story that break no rule, a base before what amends it. */
export function contractsOf(story: Story): readonly GoodContract[] {
  switch (story.kind) {
    case 'agreed':
    case 'poison':
    case 'tampered':
      return [story.contract];
    case 'refused':
      return [];
    case 'rivals':
      return story.rivals;
    case 'amended':
      return story.chain;
    case 'forked':
      return [story.base, ...story.amendments];
  }
}

/** What is sent of a story, each message once. */
export function messagesOf(story: Story): readonly Send[] {
  if (story.kind === 'refused') return [{ key: story.rawDigest.slice(0, 16), value: story.value }];
  const messages = contractsOf(story).map(({ contract, value }) => ({ key: contract.negotiationId, value }));
  return story.kind === 'tampered'
    ? [...messages, { key: story.contract.contract.negotiationId, value: story.copy }]
    : messages;
}

/** Moments run from 0 to this. */
const END = 1_000_000;
/** How much earlier than its amendments a base is there at least once. */
const HEAD_START = END / 50;

/**
 * The last delivery of an amendment comes after the last one of its base, under the same key: so in the end each was there
 * after the contract that it amends, whatever happened before. Of contracts that conflict, the first deliveries come at
 * the same moment under different keys: several processes have them at once. Half of the rivals come first of all under one
 * key: they are decided together, and held before anything of them can start.
 */
function sendsOf(stories: readonly Story[], random: Random, once: boolean): readonly Send[] {
  const placed = stories.flatMap((story) => {
    const messages = messagesOf(story);
    const last = messages.map(() => random.int(0, END)).sort(ascending);
    const earlier = once ? [] : earlierMoments(story, messages.length, random);
    const isTogether = !once && story.kind === 'rivals' && random.chance(50);
    const first = Math.min(...earlier.flat(), ...last) - HEAD_START;
    return messages.flatMap(({ key, value }, index) => [
      ...(earlier[index] ?? []).map((at, copy) =>
        isTogether && copy === 0
          ? { at: first, key: `${key}/together`, value }
          : { at, key: `${key}/${index}/${copy}`, value },
      ),
      { at: last[index] ?? END, key, value },
    ]);
  });
  return placed.sort((one, other) => one.at - other.at);
}

/** When the messages of a story are delivered beside their last time. */
function earlierMoments(story: Story, messages: number, random: Random): readonly (readonly number[])[] {
  const moments = Array.from({ length: messages }, () =>
    Array.from({ length: DELIVERIES - 1 }, () => random.int(0, END)),
  );
  const together = random.int(HEAD_START, END);
  switch (story.kind) {
    case 'rivals':
    case 'tampered':
      return moments.map(([, ...others]) => [together, ...others]);
    case 'forked':
      return moments.map(([, ...others], index) => [index === 0 ? together - HEAD_START : together, ...others]);
    case 'agreed':
    case 'amended':
    case 'poison':
    case 'refused':
      return moments;
  }
}

const ascending = (one: number, other: number): number => one - other;
