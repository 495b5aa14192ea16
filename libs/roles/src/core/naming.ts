import { hostname } from 'node:os';
import type { EventNaming } from '@v402/application';
import { handlerSource } from '@v402/events';
import { topicName } from '@v402/messaging';

/** How this deployment's events name their source and their topics. */
export function eventNaming(config: {
  readonly V402_INSTANCE_ID: string;
  readonly V402_TOPIC_PREFIX: string;
}): EventNaming {
  const prefix = config.V402_TOPIC_PREFIX;
  return {
    source: handlerSource(config.V402_INSTANCE_ID),
    topics: {
      settlement: topicName(prefix, 'events'),
      payments: topicName(prefix, 'payments'),
      deliveries: topicName(prefix, 'deliveries'),
      rejections: topicName(prefix, 'rejections'),
    },
  };
}

/** What this process is called, before and after a restart. */
export const processName = (config: { readonly V402_PROCESS_NAME: string | undefined }): string =>
  config.V402_PROCESS_NAME ?? hostname();
