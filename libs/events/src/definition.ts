import type { z } from 'zod';
import type { TopicKey } from './topics.js';

/** What is fixed about one event type. One file in `events/` defines it, one line in `catalogue.ts` registers it. */
export interface EventDefinition<
  Name extends string = string,
  Version extends number = number,
  Schema extends z.ZodType = z.ZodType,
> {
  /** CloudEvents `type`. */
  readonly type: `org.v402.${Name}.v${Version}`;
  /** `<thing>.<past tense>`, for people. */
  readonly name: Name;
  readonly topic: TopicKey;
  /** CloudEvents `dataschema`: the `$id` of the published JSON Schema. A name, not an address. */
  readonly dataschema: string;
  /** Strict: what we write has no other members. The published JSON Schema lets a reader meet new ones. */
  readonly schema: Schema;
  /** When the event is emitted and what it means. */
  readonly description: string;
  /** Who is expected to do something about it. */
  readonly actor: string;
}

type Description<Name, Version, Schema> = Pick<EventDefinition, 'topic' | 'description' | 'actor'> & {
  readonly name: Name;
  readonly version: Version;
  readonly schema: Schema;
};

export function defineEvent<Name extends string, Version extends number, Schema extends z.ZodType>(
  event: Description<Name, Version, Schema>,
): EventDefinition<Name, Version, Schema> {
  const { name, version, topic, schema, description, actor } = event;
  return {
    type: `org.v402.${name}.v${version}`,
    name,
    topic,
    dataschema: `urn:v402:schema:${name}:${version}`,
    schema,
    description,
    actor,
  };
}
