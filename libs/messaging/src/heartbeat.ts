/** Heartbeats while a handler runs, however long it takes. */
export interface Heartbeat {
  /** The group is rebalancing, or the broker is away: finish what runs, begin nothing new. */
  hasFailed(): boolean;
  stop(): void;
}

/**
 * Beats by a timer, since a handler must not have to. kafkajs sends one only if the interval has passed since the last, so
 * that the timer ticks twice as often. A failure is only noted here: kafkajs meets it again, and acts on it, after the batch.
 */
export function startHeartbeat(beat: () => Promise<void>, intervalMs: number): Heartbeat {
  let failed = false;
  const timer = setInterval(() => {
    beat().catch(() => {
      failed = true;
    });
  }, intervalMs / 2);
  return {
    hasFailed: () => failed,
    stop: () => {
      clearInterval(timer);
    },
  };
}
