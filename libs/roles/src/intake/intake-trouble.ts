import type { ConsumerProgress } from '@v402/messaging';

/**
 * Why intake makes no progress, as a stable code; null while it is in its group and its partitions move or are at their
 * end. Waiting for the backlog to go down counts as progress: it is what intake is to do then. A record that is compressed is
 * told at once, and until none was met for `limitMs`: it never passes by itself, and in between the consumer joins its group.
 */
export function intakeTrouble(progress: ConsumerProgress | null, limitMs: number): string | null {
  if (progress === null) return 'not_started';
  if ((progress.sinceUnreadableMs ?? Infinity) <= limitMs) return 'compression_unsupported';
  if ((progress.sinceConsumingMs ?? Infinity) > limitMs) return progress.code ?? 'not_joined';
  if ((progress.sinceContactMs ?? Infinity) > limitMs) return 'consumer_stalled';
  if ((progress.longestHandlingMs ?? 0) > limitMs) return 'handler_stuck';
  return progress.failing.find(({ failingMs }) => failingMs > limitMs)?.code ?? null;
}
