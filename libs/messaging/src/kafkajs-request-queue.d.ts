/** The part of kafkajs's internal request queue that `kafkajs.ts` corrects. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    throttleCheckTimeoutId: NodeJS.Timeout | null;
    throttledUntil: number;
    readonly pending: readonly unknown[];
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
}
