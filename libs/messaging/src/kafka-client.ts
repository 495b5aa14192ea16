import type { Kafka as KafkaClient, KafkaConfig, RetryOptions } from 'kafkajs';
import { Kafka, logLevel } from './kafkajs.js';

/** How to reach the brokers. */
export interface KafkaConnection {
  /** `host:port` of at least one broker. */
  readonly brokers: readonly string[];
  /** Names this process in the broker's logs and quotas. A consumer lets members of its name leave when it starts. */
  readonly clientId: string;
  readonly ssl?: NonNullable<KafkaConfig['ssl']>;
  readonly sasl?: NonNullable<KafkaConfig['sasl']>;
}

export type KafkaLogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where this library writes its lines. The context is safe to log: names, codes and numbers, never a payload. */
export type KafkaLog = (level: KafkaLogLevel, message: string, context: Readonly<Record<string, unknown>>) => void;

/** About three seconds in all: whoever called then reports the failure and starts over, with a backoff of its own. */
export const CLIENT_RETRY: RetryOptions = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 };

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * kafkajs reports errors that it is about to handle itself (a rebalance, a broker that restarts), many times over. All of its
 * own lines are therefore `debug`; what matters to an operator is said once, by the consumer and the producer of this library.
 */
export function createKafka(connection: KafkaConnection, log: KafkaLog): KafkaClient {
  return new Kafka({
    clientId: connection.clientId,
    brokers: [...connection.brokers],
    ...(connection.ssl === undefined ? {} : { ssl: connection.ssl }),
    ...(connection.sasl === undefined ? {} : { sasl: connection.sasl }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: CLIENT_RETRY,
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log: { message } }) => {
        log('debug', `kafkajs: ${message}`, { namespace });
      },
  });
}
