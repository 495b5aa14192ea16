import { isTlsFault, RetryableError } from '@v402/domain';

/** Why Kafka could not be used, as operators and dashboards know it. */
export type KafkaFailureCode =
  | 'authentication_failed'
  | 'authorization_failed'
  | 'broker_unavailable'
  | 'compression_unsupported'
  | 'consumer_failed'
  | 'consumer_stalled'
  | 'coordinator_not_found'
  | 'offset_out_of_range'
  | 'tls_failed'
  | 'topic_missing';

const BY_TYPE: Readonly<Record<string, KafkaFailureCode>> = {
  SASL_AUTHENTICATION_FAILED: 'authentication_failed',
  ILLEGAL_SASL_STATE: 'authentication_failed',
  UNSUPPORTED_SASL_MECHANISM: 'authentication_failed',
  TOPIC_AUTHORIZATION_FAILED: 'authorization_failed',
  GROUP_AUTHORIZATION_FAILED: 'authorization_failed',
  CLUSTER_AUTHORIZATION_FAILED: 'authorization_failed',
  OFFSET_OUT_OF_RANGE: 'offset_out_of_range',
  UNKNOWN_TOPIC_OR_PARTITION: 'topic_missing',
  BROKER_NOT_AVAILABLE: 'broker_unavailable',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'broker_unavailable',
  GROUP_LOAD_IN_PROGRESS: 'broker_unavailable',
  LEADER_NOT_AVAILABLE: 'broker_unavailable',
  NETWORK_EXCEPTION: 'broker_unavailable',
  NOT_CONTROLLER: 'broker_unavailable',
  NOT_COORDINATOR_FOR_GROUP: 'broker_unavailable',
  NOT_ENOUGH_REPLICAS: 'broker_unavailable',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'broker_unavailable',
  NOT_LEADER_FOR_PARTITION: 'broker_unavailable',
  REQUEST_TIMED_OUT: 'broker_unavailable',
};

const BY_NAME: Readonly<Record<string, KafkaFailureCode>> = {
  KafkaJSSASLAuthenticationError: 'authentication_failed',
  KafkaJSNotImplemented: 'compression_unsupported',
  KafkaJSConnectionError: 'broker_unavailable',
  KafkaJSConnectionClosedError: 'broker_unavailable',
  KafkaJSRequestTimeoutError: 'broker_unavailable',
  KafkaJSNoBrokerAvailableError: 'broker_unavailable',
  KafkaJSBrokerNotFound: 'broker_unavailable',
  KafkaJSLockTimeout: 'broker_unavailable',
  KafkaJSGroupCoordinatorNotFound: 'coordinator_not_found',
  ConsumerStalledError: 'consumer_stalled',
};

/** The Kafka protocol's name of an error, `MESSAGE_TOO_LARGE` for example, found in the error or in what caused it. */
export function protocolErrorType(error: unknown): string | null {
  for (const cause of causes(error)) {
    if ('type' in cause && typeof cause.type === 'string') return cause.type;
  }
  return null;
}

/** What this library raises itself. */
const isOurs = (code: string): code is 'broker_unavailable' | 'offset_out_of_range' =>
  code === 'broker_unavailable' || code === 'offset_out_of_range';

/** Classifies a failure of Kafka or of the way to it; `null` if it is neither. */
export function failureCode(error: unknown): KafkaFailureCode | null {
  if (error instanceof RetryableError && isOurs(error.code)) return error.code;
  const byType = BY_TYPE[protocolErrorType(error) ?? ''];
  if (byType !== undefined) return byType;
  for (const cause of causes(error)) {
    if ('code' in cause && isTlsFault(String(cause.code))) return 'tls_failed';
    const byName = BY_NAME[cause.name];
    if (byName !== undefined) return byName;
  }
  return null;
}

function* causes(error: unknown): Generator<Error> {
  for (let cause = error; cause instanceof Error; cause = cause.cause) yield cause;
}
