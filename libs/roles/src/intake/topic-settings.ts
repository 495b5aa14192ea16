import type { Alarms } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { KafkaTopics, topicName } from '@v402/messaging';
import type { Logger } from '@v402/observability';
import { kafkaConnection, kafkaLog } from '../core/kafka.js';

/**
 * Says where the contracts topic is not set as intake needs it. Without the broker's time an outage of the database can make
 * contracts expire that came in time; a compressed record stops intake.
 */
export async function checkTopicSettings(config: RoleConfig<'intake'>, alarms: Alarms, log: Logger): Promise<void> {
  const topic = topicName(config.V402_TOPIC_PREFIX, 'contracts');
  try {
    const [facts] = await new KafkaTopics(kafkaConnection(config), kafkaLog(log)).inspect([topic]);
    if (facts?.exists !== true) return;
    if (facts.timestampType === 'CreateTime') {
      const message =
        'The contracts topic keeps no log-append time, so the database says when a message arrived. Set message.timestamp.type=LogAppendTime.';
      alarms.raise('input_topic_create_time', message, { topic });
    }
    if (facts.isCompressionReadable === false) {
      const message =
        'The contracts topic keeps records as producers compress them, and none of those is read. Set compression.type=uncompressed.';
      alarms.raise('input_topic_compressed', message, { topic });
    }
  } catch (error) {
    log.debug({ err: error }, 'The settings of the contracts topic cannot be read.');
  }
}
