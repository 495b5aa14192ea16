import { addSeconds, type Instant } from '@v402/domain';
import { changed, contractIdOf, DealMaker, type Deal } from './deal.js';
import { FAULTS, type FaultCode } from './faults.js';
import { agreement, equivocation, lateAmendment, redelivery, refusal, type SimulatedMessage } from './messages.js';
import { Random } from './random.js';
import { HANDLING, paymentAccounts, World, type Handling } from './world.js';

export interface TradeOptions {
  /** The same seed, count and moment give the same trade, but for the texts of ES256 signatures: these are random. */
  readonly seed: number;
  /** How many messages, 1 at least. */
  readonly count: number;
  /** When the messages are sent, by the broker's clock, give or take a minute. */
  readonly now: Instant;
  /** Whether good contracts come alone; else about one message in four has something wrong with it. */
  readonly onlyGood?: boolean;
}

/** Messages of agents that trade, with what must come of each. */
export interface SimulatedTrade {
  /**
   * The messages, in the order of sending. A wave is sent when all that is expected of the waves before has happened: a
   * second contract for a deal would else stop what of the first has not begun yet, sometimes.
   */
  readonly waves: readonly (readonly SimulatedMessage[])[];
  /** How the handler has to be configured for it. */
  readonly handling: Handling;
  /** The file of `V402_TRUST_REGISTRY`. */
  readonly trustRegistry: string;
  /** The file of `V402_PAYMENT_ACCOUNTS`. */
  readonly paymentAccounts: string;
}

const DAY_SECONDS = 86_400;

/** What occurs most often in practice comes first, so that a short trade has it too. */
const COMMON_FAULTS: readonly FaultCode[] = ['signature_invalid', 'expired', 'unknown_key', 'malformed_json'];
const FAULT_CODES = [
  ...COMMON_FAULTS,
  ...(Object.keys(FAULTS) as FaultCode[]).filter((code) => !COMMON_FAULTS.includes(code)),
];

/** Makes a trade: deterministic, and large enough it has every kind of contract and every fault. */
export function simulateTrade({ seed, count, now, onlyGood = false }: TradeOptions): SimulatedTrade {
  const world = new World(seed, now);
  const maker = new TradeMaker(new Random(seed), world, `sim-${seed}`);
  return {
    waves: onlyGood ? [maker.goodContracts(count)] : maker.mixed(count),
    handling: HANDLING,
    trustRegistry: world.trustRegistry(),
    paymentAccounts: paymentAccounts(),
  };
}

type TradeSizes = Readonly<
  Record<
    'good' | 'faults' | 'repeatedFaults' | 'redeliveries' | 'staleRivals' | 'rivals' | 'repeatedRivals' | 'amendments',
    number
  >
>;

/** How many messages of each kind a mixed trade has; in short ones the rarer kinds are missing. */
function sizesOf(count: number): TradeSizes {
  const percent = (share: number): number => Math.floor((count * share) / 100);
  const odd = {
    faults: percent(15),
    repeatedFaults: percent(1),
    redeliveries: percent(6),
    staleRivals: percent(1),
    rivals: percent(2),
    repeatedRivals: percent(0.5),
    amendments: percent(1),
  };
  return { ...odd, good: count - Object.values(odd).reduce((sum, size) => sum + size, 0) };
}

/** The same message once more: it is counted, and adds nothing. */
function repeated(message: SimulatedMessage): SimulatedMessage {
  return { ...message, events: [] };
}

class TradeMaker {
  readonly #deals: DealMaker;

  constructor(
    private readonly random: Random,
    private readonly world: World,
    name: string,
  ) {
    this.#deals = new DealMaker(random, world, name);
  }

  goodContracts(count: number): readonly SimulatedMessage[] {
    return Array.from({ length: count }, () => agreement(this.#deals.make(), this.world));
  }

  mixed(count: number): readonly (readonly SimulatedMessage[])[] {
    const sizes = sizesOf(count);
    const deals = Array.from({ length: sizes.good }, () => this.#deals.make());
    const faults = this.#faults(sizes.faults);
    // Each deal is resent, contested or amended once at most: what comes of it follows from the two messages alone.
    const free = [...this.random.sample(deals, deals.length)];
    const redeliveries = free.splice(0, sizes.redeliveries).map((deal, index) => redelivery(deal, index));
    const staleRivals = free.splice(0, sizes.staleRivals).map((deal) => this.#staleRival(deal));
    const rivals = free.splice(0, sizes.rivals).map((deal) => this.#rival(deal));
    const amendments = free.splice(0, sizes.amendments).map((deal) => this.#amendment(deal));
    const first = this.#shuffled(
      [...deals.map((deal) => agreement(deal, this.world)), ...faults],
      [...redeliveries, ...staleRivals, ...faults.slice(0, sizes.repeatedFaults).map(repeated)],
    );
    const second = [...rivals, ...rivals.slice(0, sizes.repeatedRivals).map(repeated), ...amendments];
    return [first, second].filter((wave) => wave.length > 0);
  }

  #faults(count: number): readonly SimulatedMessage[] {
    const workshop = { deals: this.#deals, world: this.world };
    const seen = new Set<string>();
    return Array.from({ length: count }, (_, index) => {
      const code = FAULT_CODES[index % FAULT_CODES.length] ?? 'expired';
      const ways = FAULTS[code];
      const way = ways[Math.floor(index / FAULT_CODES.length) % ways.length] ?? ways[0];
      const faulty = way(workshop);
      const content = Buffer.from(faulty.value ?? []).toString('base64');
      // Some faults have no contract that could make them different: the same content is refused, but announced once.
      const message = seen.has(content) ? repeated(refusal(faulty, code)) : refusal(faulty, code);
      seen.add(content);
      return message;
    });
  }

  /** The followers come somewhere after the message of the same key that they follow. */
  #shuffled(
    messages: readonly SimulatedMessage[],
    followers: readonly SimulatedMessage[],
  ): readonly SimulatedMessage[] {
    const order = [...this.random.sample(messages, messages.length)];
    for (const follower of followers) {
      const after = order.findIndex(({ key }) => key === follower.key) + 1;
      order.splice(this.random.int(after, order.length), 0, follower);
    }
    return order;
  }

  #rival(deal: Deal): SimulatedMessage {
    return equivocation(deal, changed(deal, {}), false);
  }

  /** An old draft that was signed and then dropped. */
  #staleRival(deal: Deal): SimulatedMessage {
    const at = addSeconds(this.world.now, -3 * DAY_SECONDS);
    const { transcript } = this.#deals.make({ agreedAt: at, expiresAt: addSeconds(at, DAY_SECONDS) });
    const rival = changed({ ...deal, transcript }, { transcript, expiresAt: addSeconds(at, DAY_SECONDS) });
    return equivocation(deal, rival, true);
  }

  #amendment(deal: Deal): SimulatedMessage {
    return lateAmendment(changed(deal, { supersedes: contractIdOf(deal.contract) }));
  }
}
