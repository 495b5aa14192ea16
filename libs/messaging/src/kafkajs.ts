import kafkajs from 'kafkajs';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import Decoder from 'kafkajs/src/protocol/decoder.js';

/**
 * The one door to kafkajs 2.2.4. The version is pinned exactly, since two of its methods are replaced here.
 *
 * At rest it computes the delay of its throttle check as `-1 - now`, and Node.js from 24 on warns of every negative time-out
 * (kafkajs issue 1751). The check below sets a timer only while a request waits.
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

/**
 * It collects the headers of a record by copying, for each, all before it: 4,000 headers take seconds, and tens of thousands,
 * which Kafka lets any producer write, stop the process for minutes. Here each is touched once.
 */
Decoder.prototype.readVarIntArray = function (this: Decoder, readHeader) {
  const byName = new Map<string, (Buffer | null)[]>();
  const count = this.readVarInt();
  for (let i = 0; i < count; i += 1) {
    const { key, value } = readHeader(this);
    const values = byName.get(key);
    if (values === undefined) byName.set(key, [value]);
    else values.push(value);
  }
  return { reduce: () => Object.fromEntries(byName) };
};

export const { ConfigResourceTypes, Kafka, Partitioners, logLevel } = kafkajs;
