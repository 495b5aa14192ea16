import { RetryableError } from '@v402/domain';

/**
 * Asks an adapter, until the signal is aborted at the latest: one that does not heed its signal must not hold hostage what
 * waits for it, be it a claim or a transaction. What it throws before its promise is there is caught alike.
 * @throws RetryableError `deadline_exceeded`, and whatever the adapter throws
 */
export async function answerOf<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  if (signal.aborted) throw deadlineExceeded();
  const deadline = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      // The adapter's own answer to the signal is more precise, so it gets one turn of the event loop to give it.
      setImmediate(() => {
        reject(deadlineExceeded());
      });
    });
  });
  const answer = new Promise<T>((resolve) => {
    resolve(ask());
  });
  return Promise.race([answer, deadline]);
}

const deadlineExceeded = (): RetryableError =>
  new RetryableError('deadline_exceeded', 'The order system did not answer in time.');
