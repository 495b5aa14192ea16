import type { INestApplicationContext } from '@nestjs/common';
import type { Logger } from '@v402/observability';
import type { Operations } from './operations.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Exit status of a process that was ended with work under way (sysexits.h, EX_TEMPFAIL): nothing is lost, others go on. */
const EXIT_CUT_SHORT = 75;

export interface EndOptions {
  readonly log: Logger;
  readonly operations: Operations;
  /** How long what is under way may take to end. */
  readonly drainMs: number;
}

/**
 * On SIGTERM or SIGINT: not ready any more, nothing new is begun, what is under way is finished or given back, exit status
 * 0. Over the limit, or on a second signal, the process ends as it is, with status 75: leases and offsets see to it that
 * others take over, as after a crash.
 */
export function endOnSignals(app: INestApplicationContext, { log, operations, drainMs }: EndOptions): void {
  let isEnding = false;
  const cutShort = (code: string, message: string, error?: unknown): never => {
    log.error({ code, drainMs, ...(error !== undefined && { err: error }) }, message);
    process.exit(EXIT_CUT_SHORT);
  };
  const end = (signal: NodeJS.Signals): void => {
    if (isEnding) cutShort('drain_cut_short', 'A second signal: the process ends with work under way.');
    isEnding = true;
    operations.health.drain();
    log.info({ signal, drainMs }, 'The process ends: it begins nothing new and finishes what is under way.');
    setTimeout(() => {
      cutShort('drain_timeout', 'What is under way did not end within V402_DRAIN_MS. Other processes take it over.');
    }, drainMs);
    app.close().then(
      () => {
        log.info({ signal }, 'The process has ended its work.');
        process.exit(0);
      },
      (error: unknown) => cutShort('drain_failed', 'The process could not end its work properly.', error),
    );
  };
  for (const signal of SIGNALS) process.on(signal, end);
}
