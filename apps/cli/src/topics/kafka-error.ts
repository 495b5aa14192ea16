import { RetryableError, TerminalError } from '@v402/domain';
import { failureCode, protocolErrorType } from '@v402/messaging';

/** Says in one sentence why Kafka could not be used, or what it refused; other errors are passed on. */
export function kafkaError(error: unknown, brokers: readonly string[]): unknown {
  const code = failureCode(error);
  const context = { brokers: brokers.join(',') };
  if (code !== null) {
    return new RetryableError(code, `Kafka at ${context.brokers} cannot be used.`, context, { cause: error });
  }
  const refusal = protocolErrorType(firstOf(error));
  if (refusal === null) return error;
  return new TerminalError('kafka_refused', `Kafka refused it: ${refusal}.`, { refusal }, { cause: error });
}

/** Creating topics fails with a list of errors, one per topic. */
function firstOf(error: unknown): unknown {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : error;
}
