import { setTimeout as sleep } from 'node:timers/promises';
import type { ContractId } from '@v402/domain';
import { CATALOGUE, type TopicKey } from '@v402/events';
import type { AppProcess, LocalSystem } from '@v402/local-system';
import type { SimulatedMessage, SimulatedTrade } from '@v402/simulators';
import type { DemoView } from './demo-view.js';

/** What is known of a trade only while it goes on. */
export interface TradeRecord {
  /** When the message of each contract was handed to Kafka, in milliseconds since the epoch. */
  readonly sentAtMs: ReadonlyMap<ContractId, number>;
  /** Of the standalone app at its end; nothing where the operating system does not say. */
  readonly memory: Awaited<ReturnType<AppProcess['memory']>>;
}

/** A handful at a time, so that what is measured is the way of a contract and not the length of a queue. */
const CHUNK = 5;
const CHUNK_EVERY_MS = 100;
const LOOK_EVERY_MS = 200;
const STALLED_AFTER_MS = 60_000;
/** What should not have been published would be published by then. */
const QUIET_MS = 750;

/** Sends the waves of a trade, each when all that is expected of the ones before is published, or nothing moves any more. */
export async function tradeThrough(
  system: LocalSystem,
  standalone: AppProcess,
  { waves }: Pick<SimulatedTrade, 'waves'>,
  view: DemoView,
  signal: AbortSignal,
): Promise<TradeRecord> {
  const sentAtMs = new Map<ContractId, number>();
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const watch = new Watch(system, standalone, waves.flat(), view);
  try {
    for (const [index, wave] of waves.entries()) {
      const sending = sendGently(system, wave, sentAtMs, until);
      const done = watch.until(waves.slice(0, index + 1).flat(), () => sentAtMs.size, until);
      await Promise.all([sending, done]);
    }
    await sleep(QUIET_MS, undefined, { signal });
  } finally {
    // Where one of the two failed, the other must not go on.
    over.abort();
    view.endProgress();
  }
  return { sentAtMs, memory: await standalone.memory() };
}

async function sendGently(
  system: LocalSystem,
  wave: readonly SimulatedMessage[],
  sentAtMs: Map<ContractId, number>,
  signal: AbortSignal,
): Promise<void> {
  for (let next = 0; next < wave.length; next += CHUNK) {
    const chunk = wave.slice(next, next + CHUNK);
    for (const { outcome } of chunk) if (outcome.kind === 'accepted') sentAtMs.set(outcome.contractId, Date.now());
    await system.send(chunk);
    await sleep(CHUNK_EVERY_MS, undefined, { signal });
  }
}

type Counts = Readonly<Record<TopicKey, number>>;

/** Looks at the output topics until they hold as many events as they should. */
class Watch {
  readonly #all: Counts;

  constructor(
    private readonly system: LocalSystem,
    private readonly standalone: AppProcess,
    messages: readonly SimulatedMessage[],
    private readonly view: DemoView,
  ) {
    this.#all = countsOf(messages);
  }

  /** Ends too when nothing has moved for a while, or the app is gone: the comparison then says what is missing. */
  async until(messages: readonly SimulatedMessage[], sent: () => number, signal: AbortSignal): Promise<void> {
    const expected = countsOf(messages);
    let movedAt = performance.now();
    let before = -1;
    for (;;) {
      const counts = await this.system.eventCounts();
      signal.throwIfAborted();
      this.view.show(namesOf(counts).map((name) => ({ name, done: counts[name], of: this.#all[name] })));
      if (namesOf(expected).every((name) => counts[name] >= expected[name])) return;
      const moved = namesOf(counts).reduce((sum, name) => sum + counts[name], sent());
      if (moved !== before) movedAt = performance.now();
      before = moved;
      if (this.standalone.hasEnded || performance.now() - movedAt > STALLED_AFTER_MS) return;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }
}

function namesOf(counts: Counts): readonly TopicKey[] {
  return Object.keys(counts) as TopicKey[];
}

function countsOf(messages: readonly SimulatedMessage[]): Counts {
  const counts: Record<TopicKey, number> = { settlement: 0, payments: 0, deliveries: 0, rejections: 0 };
  for (const { type } of messages.flatMap(({ events }) => events)) counts[CATALOGUE[type].topic] += 1;
  return counts;
}
