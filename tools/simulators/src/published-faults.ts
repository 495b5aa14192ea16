/** A published record of an event, as far as it is judged here. */
export interface PublishedRecord {
  readonly topic: string;
  readonly id: string;
  readonly subject: string;
  /** Absent on the topic of rejections. */
  readonly sequence?: number;
  /** What it says happened. */
  readonly fact: string;
}

/**
 * What must hold of everything on the output topics, however often a record was published: an id means one fact, and the
 * first publications of a settlement's events count from 1 on each topic, without gaps.
 * @param records of one topic and settlement in the order of publication
 * @returns every fault in a sentence
 */
export function publishedFaults(records: readonly PublishedRecord[]): readonly string[] {
  const facts = new Map<string, string>();
  const last = new Map<string, number>();
  return records.flatMap(({ topic, id, subject, sequence, fact }) => {
    const earlier = facts.get(id);
    if (earlier !== undefined) return earlier === fact ? [] : [`events: the id ${id} means "${earlier}" and "${fact}"`];
    facts.set(id, fact);
    if (sequence === undefined) return [];
    const stream = `${topic} ${subject}`;
    const expected = (last.get(stream) ?? 0) + 1;
    last.set(stream, sequence);
    return sequence === expected ? [] : [`events: sequence ${sequence} instead of ${expected} in ${stream}`];
  });
}
