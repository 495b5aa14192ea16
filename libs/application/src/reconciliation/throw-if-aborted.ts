import { TerminalError } from '@v402/domain';

/** @throws TerminalError `reconciliation_aborted` */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new TerminalError('reconciliation_aborted', 'The reconciliation was asked to break off.');
}
