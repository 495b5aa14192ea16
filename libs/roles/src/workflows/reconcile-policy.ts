import type { ReconcilePolicy } from '@v402/application';
import { topicName } from '@v402/messaging';

const OUTPUTS = ['events', 'payments', 'deliveries', 'rejections'] as const;

/** The topics of this deployment, as a reconciliation compares them. */
export function reconcilePolicy(
  { V402_TOPIC_PREFIX: prefix }: { readonly V402_TOPIC_PREFIX: string },
  graceMs: number,
): ReconcilePolicy {
  return {
    inputTopic: topicName(prefix, 'contracts'),
    outputTopics: OUTPUTS.map((key) => topicName(prefix, key)),
    graceMs,
  };
}
