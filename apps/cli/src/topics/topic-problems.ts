import { MAX_EVENT_BYTES } from '@v402/events';
import type { TopicFacts, TopicSpec } from '@v402/messaging';

/** What Kafka and CloudEvents headers may add to an event in its record batch. */
const BATCH_OVERHEAD_BYTES = 16_384;

/**
 * What keeps a topic from doing its work.
 * @param facts what the broker says of the topic
 * @param spec what the topic would be created with
 * @returns sentences; none where all is well
 */
export function topicProblems(facts: TopicFacts, spec: TopicSpec): readonly string[] {
  if (!facts.exists) return ['is missing'];
  const { timestampType, maxMessageBytes, compression, isCompressionReadable } = facts;
  const { minInSyncReplicas, isReplicationSafe } = facts;
  const wantedCompression = spec.config['compression.type'];
  const wantedType = spec.config['message.timestamp.type'];
  const wantedBytes = Number(spec.config['max.message.bytes'] ?? MAX_EVENT_BYTES + BATCH_OVERHEAD_BYTES);
  return [
    ...([timestampType, maxMessageBytes, compression].includes(null)
      ? ['its settings may not be read by this user']
      : []),
    ...(timestampType !== null && wantedType !== undefined && timestampType !== wantedType
      ? [`message.timestamp.type is ${timestampType}, should be ${wantedType}`]
      : []),
    ...(isCompressionReadable === false && wantedCompression !== undefined
      ? [`compression.type is ${compression ?? ''}, should be ${wantedCompression}: no codec is read`]
      : []),
    ...(maxMessageBytes !== null && maxMessageBytes < wantedBytes
      ? [`max.message.bytes is ${maxMessageBytes}, should be at least ${wantedBytes}`]
      : []),
    ...(isReplicationSafe === false
      ? [
          `min.insync.replicas is ${minInSyncReplicas ?? ''}, should be 2: what one broker confirms alone is lost with it`,
        ]
      : []),
  ];
}
