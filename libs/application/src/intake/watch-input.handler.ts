import type { Micros } from '@v402/domain';
import { InputLog, type PartitionFacts } from '../ports/input-log.js';
import type { InputLoss, InputLossCode, InputMark } from '../ports/input-store.js';
import type { Alarms } from '../ports/seams.js';
import type { Transaction, UnitOfWork } from '../ports/unit-of-work.js';
import { comparePosition, firstPosition, type Position } from './compare-position.js';

const SENTENCES: Readonly<Record<InputLossCode, string>> = {
  input_lost: 'Messages left the contracts topic before they were decided. Ask their senders to send them again.',
  input_topic_recreated:
    'The contracts topic was deleted and made anew, or cut off. Intake takes it from its beginning.',
  input_offsets_moved: 'The offsets of the intake group are ahead of what is decided. Intake goes back by itself.',
  input_partitions_added: 'The contracts topic has more partitions than before: messages may overtake each other.',
};

export interface InputLook {
  /** Where intake begins in each of the partitions. */
  readonly begins: ReadonlyMap<number, bigint>;
  /** What this look has found and nobody else had before. */
  readonly losses: readonly InputLoss[];
}

interface Compared extends Position {
  readonly mark: InputMark;
}

const NOTHING_THERE: Omit<PartitionFacts, 'partition'> = {
  low: 0n,
  high: 0n,
  committed: undefined,
  lastDigest: undefined,
  waiting: undefined,
  lookedTo: 0n,
};

/**
 * Compares what was decided with what stands in the contracts topic and with the group's offsets: says where intake
 * begins, records what was lost, and raises an alarm for each finding. It claims nothing where it could not look.
 */
export class WatchInputHandler {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly log: InputLog,
    private readonly alarms: Alarms,
    /** Names this process in what it finds. */
    private readonly process: string,
  ) {}

  /**
   * @param partitions those that this process has; how many there are is looked at in any case
   * @throws RetryableError when Kafka or the database does not answer: then nothing is known, and nothing claimed
   */
  async look(topic: string, partitions: readonly number[]): Promise<InputLook> {
    // Marks first: they only grow, so that no message which is decided in between can seem to be beyond the end.
    const marks = await this.unitOfWork.run((tx) => tx.input.marks(topic));
    const ours = marks.filter(({ partition }) => partitions.includes(partition));
    const facts = await this.log.look(topic, ours);
    const compared = ours.map((mark) => ({ mark, ...comparePosition(mark, factsOf(mark.partition, facts)) }));
    const known = new Set(marks.map(({ partition }) => partition));
    const unknown = facts.filter(({ partition }) => !known.has(partition));
    const starts = new Map(unknown.map((each) => [each.partition, firstPosition(each)]));
    const losses = await this.unitOfWork.run(async (tx) => [
      ...(await this.#addPartitions(tx, topic, marks, starts)),
      ...(await this.#record(tx, topic, compared)),
    ]);
    for (const loss of losses) this.#raise(loss);
    const begins = new Map(compared.map(({ mark, begin }) => [mark.partition, begin]));
    for (const partition of partitions) {
      const start = starts.get(partition);
      if (start !== undefined) begins.set(partition, start);
    }
    return { begins, losses };
  }

  /** Marks every partition from the first look on, so that a loss before its first message is seen, too. */
  async #addPartitions(
    tx: Transaction,
    topic: string,
    marks: readonly InputMark[],
    starts: ReadonlyMap<number, bigint>,
  ): Promise<readonly InputLoss[]> {
    const added = await tx.input.begin(topic, starts);
    const lastKnown = marks.at(-1);
    if (lastKnown === undefined) return [];
    const knownAt = marks.reduce<Micros>((latest, mark) => (mark.knownAt > latest ? mark.knownAt : latest), 0n);
    // Kafka numbers partitions without gaps, and adds them at the end.
    const beyond = [...added].filter((partition) => partition > lastKnown.partition);
    return this.#news(
      tx,
      beyond.map((partition): InputLoss => {
        const firstOffset = starts.get(partition) ?? 0n;
        const code = 'input_partitions_added';
        return { code, topic, partition, firstOffset, nextOffset: undefined, knownAt, process: this.process };
      }),
    );
  }

  /** A mark that has moved meanwhile was decided beyond, or dealt with by another process: what was seen is out of date. */
  async #record(tx: Transaction, topic: string, compared: readonly Compared[]): Promise<readonly InputLoss[]> {
    const losses: InputLoss[] = [];
    for (const { mark, next, finding } of compared) {
      const { partition, knownAt } = mark;
      if (!(await tx.input.isStill(topic, mark))) continue;
      switch (finding?.code) {
        case undefined:
          await tx.input.keep(topic, partition, next);
          continue;
        case 'input_lost':
        case 'input_topic_recreated':
          await tx.input.beginAnew(topic, partition, next);
          break;
        case 'input_offsets_moved':
        case 'input_partitions_added':
          // The mark stays as it is, so that the same state of things is not told again after a crash.
          break;
      }
      losses.push({ ...finding, topic, partition, knownAt, process: this.process });
    }
    return this.#news(tx, losses);
  }

  async #news(tx: Transaction, losses: readonly InputLoss[]): Promise<readonly InputLoss[]> {
    const news: InputLoss[] = [];
    for (const loss of losses) if (await tx.input.recordLoss(loss)) news.push(loss);
    return news;
  }

  #raise({ code, topic, partition, firstOffset, nextOffset, process }: InputLoss): void {
    this.alarms.raise(code, SENTENCES[code], {
      topic,
      partition,
      firstOffset: firstOffset.toString(),
      ...(nextOffset !== undefined && { nextOffset: nextOffset.toString() }),
      process,
    });
  }
}

/** A partition that is not there any more holds nothing: Kafka takes none away but with the topic. */
function factsOf(partition: number, facts: readonly PartitionFacts[]): PartitionFacts {
  return facts.find((each) => each.partition === partition) ?? { partition, ...NOTHING_THERE };
}
