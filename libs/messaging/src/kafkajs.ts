import kafkajs from 'kafkajs';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/**
 * The one door to kafkajs 2.2.4. At rest it computes the delay of its throttle check as `-1 - now`, and Node.js from 24 on
 * warns of every negative time-out (kafkajs issue 1751). The check below sets a timer only while a request waits. The version
 * is pinned exactly, since this replaces one of its methods.
 */
const PENDING_CHECK_MS = 10;

RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.throttleCheckTimeoutId !== null) return;
  const throttledForMs = this.throttledUntil - Date.now();
  if (throttledForMs <= 0 && this.pending.length === 0) return;
  const check = (): void => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  };
  this.throttleCheckTimeoutId = setTimeout(check, throttledForMs > 0 ? throttledForMs : PENDING_CHECK_MS);
};

export const { ConfigResourceTypes, Kafka, Partitioners, logLevel } = kafkajs;
