import type { DecidedMessage, InputLoss, InputMark, InputStore } from '@v402/application';
import { columns, type Session } from '../session.js';
import { bytea, hexOf, microsOf, timestampOf } from '../values.js';

const ADVANCE = `
  INSERT INTO v402.input_offset AS o (topic, partition, next_offset, last_offset, last_digest)
  SELECT topic, partition, last_offset + 1, last_offset, last_digest
  FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bytea[]) AS n (topic, partition, last_offset, last_digest)
  ORDER BY topic, partition
  ON CONFLICT (topic, partition) DO UPDATE
    SET next_offset = excluded.next_offset, last_offset = excluded.last_offset, last_digest = excluded.last_digest,
      updated_at = clock_timestamp()
    WHERE o.next_offset < excluded.next_offset`;

const MARKS = `
  SELECT partition, next_offset AS next, last_offset AS "lastOffset", ${hexOf('last_digest')} AS "lastDigest",
    ${microsOf('updated_at')} AS "knownAt"
  FROM v402.input_offset WHERE topic = $1 ORDER BY partition`;

const BEGIN = `
  INSERT INTO v402.input_offset (topic, partition, next_offset)
  SELECT $3, partition, next_offset FROM unnest($1::int[], $2::bigint[]) AS n (partition, next_offset) ORDER BY partition
  ON CONFLICT (topic, partition) DO NOTHING
  RETURNING partition`;

const LOCK_IF_STILL = `
  SELECT FROM v402.input_offset
  WHERE topic = $1 AND partition = $2 AND updated_at = ${timestampOf('$3::bigint')} FOR UPDATE`;

const KEEP = `
  UPDATE v402.input_offset SET next_offset = $3, updated_at = clock_timestamp() WHERE topic = $1 AND partition = $2`;

const BEGIN_ANEW = `
  UPDATE v402.input_offset
  SET next_offset = $3, last_offset = NULL, last_digest = NULL, updated_at = clock_timestamp()
  WHERE topic = $1 AND partition = $2`;

const RECORD_LOSS = `
  INSERT INTO v402.input_loss (code, topic, partition, first_offset, next_offset, known_at, process)
  VALUES ($1, $2, $3, $4, $5, ${timestampOf('$6::bigint')}, $7)
  ON CONFLICT (topic, partition, code, known_at) DO NOTHING`;

type MarkRow = {
  partition: number;
  next: string;
  lastOffset: string | null;
  lastDigest: string | null;
  knownAt: string;
};

export class PgInputStore implements InputStore {
  constructor(private readonly session: Session) {}

  async advance(decided: readonly DecidedMessage[]): Promise<void> {
    const last = new Map<string, DecidedMessage>();
    for (const message of decided) {
      const { topic, partition, offset } = message.coordinates;
      const key = `${topic}/${partition}`;
      if (offset >= (last.get(key)?.coordinates.offset ?? 0n)) last.set(key, message);
    }
    await this.session.write(
      ADVANCE,
      columns(
        [...last.values()],
        ({ coordinates }) => coordinates.topic,
        ({ coordinates }) => coordinates.partition,
        ({ coordinates }) => coordinates.offset,
        ({ rawDigest }) => bytea(rawDigest),
      ),
    );
  }

  async marks(topic: string): Promise<readonly InputMark[]> {
    const rows = await this.session.query<MarkRow>(MARKS, [topic]);
    return rows.map(({ partition, next, lastOffset, lastDigest, knownAt }) => ({
      partition,
      next: BigInt(next),
      last: lastOffset === null || lastDigest === null ? undefined : { offset: BigInt(lastOffset), digest: lastDigest },
      knownAt: BigInt(knownAt),
    }));
  }

  async begin(topic: string, starts: ReadonlyMap<number, bigint>): Promise<ReadonlySet<number>> {
    const rows = await this.session.query<{ partition: number }>(BEGIN, [
      [...starts.keys()],
      [...starts.values()],
      topic,
    ]);
    return new Set(rows.map(({ partition }) => partition));
  }

  async isStill(topic: string, { partition, knownAt }: InputMark): Promise<boolean> {
    return (await this.session.write(LOCK_IF_STILL, [topic, partition, knownAt])) === 1;
  }

  async keep(topic: string, partition: number, next: bigint): Promise<void> {
    await this.session.write(KEEP, [topic, partition, next]);
  }

  async beginAnew(topic: string, partition: number, next: bigint): Promise<void> {
    await this.session.write(BEGIN_ANEW, [topic, partition, next]);
  }

  async recordLoss(loss: InputLoss): Promise<boolean> {
    const { code, topic, partition, firstOffset, nextOffset, knownAt, process } = loss;
    const values = [code, topic, partition, firstOffset, nextOffset ?? null, knownAt, process];
    return (await this.session.write(RECORD_LOSS, values)) === 1;
  }
}
