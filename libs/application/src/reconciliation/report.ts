import { instantOfMicros, type Instant, type Micros } from '@v402/domain';
import type { Window } from '../ports/reconciliation-books.js';
import {
  ATTENTION,
  DIFFERENCES,
  UNPROVEN,
  type AttentionCode,
  type DifferenceCode,
  type UnprovenCode,
} from './difference-codes.js';

/** One thing that was found: what it is about, and what to do. Never a payload. */
export interface Finding<Code extends string> {
  readonly code: Code;
  /** A contractId, digest, event id or place in Kafka. */
  readonly subject: string;
  /** What tells this one apart: a side, an offset, a JSON Pointer. */
  readonly detail?: string;
  readonly action: string;
}

/** How many there are of everything that was compared. */
export interface ReconciliationCounts {
  readonly acceptances: number;
  readonly settlements: number;
  /** Settlements that were accepted before the window, and looked at again because of an event that occurred in it. */
  readonly earlierSettlements: number;
  /** Orders that were created by our records, and those of them that the order system has as agreed. */
  readonly orders: number;
  readonly ordersFound: number;
  /** Events of the settlements that were accepted in the window, all others that occurred in it, and those that Kafka has. */
  readonly events: number;
  readonly eventsFound: number;
  readonly refusals: number;
  /** Records of the contracts topic that were looked at, and those of them that are decided. */
  readonly messages: number;
  readonly messagesDecided: number;
  /** What is younger than the grace and not there yet. */
  readonly inFlight: number;
}

/**
 * `agrees`: everything in the window was looked at and is the same everywhere. `differs`: something is not.
 * `unproven`: nothing differs, but something could not be looked at.
 */
export type ReconciliationOutcome = 'agrees' | 'differs' | 'unproven';

/** A reconciliation's result. Its members are those of `v402 reconcile --json`. */
export interface ReconciliationReport {
  readonly outcome: ReconciliationOutcome;
  readonly from: Instant;
  readonly to: Instant;
  readonly startedAt: Instant;
  readonly finishedAt: Instant;
  readonly graceMs: number;
  readonly counts: ReconciliationCounts;
  readonly differencesByCode: Readonly<Partial<Record<DifferenceCode, number>>>;
  /** The first thousand. */
  readonly differences: readonly Finding<DifferenceCode>[];
  readonly unproven: readonly Finding<UnprovenCode>[];
  readonly attention: readonly Finding<AttentionCode>[];
}

/** However bad it is, a report stays of a size that can be stored and read. */
export const MAX_LISTED = 1_000;

type MutableCounts = { -readonly [Name in keyof ReconciliationCounts]: number };

/** Collects what a reconciliation finds. */
export class Findings {
  readonly counts: MutableCounts = {
    ...{ acceptances: 0, settlements: 0, earlierSettlements: 0, orders: 0, ordersFound: 0 },
    ...{ events: 0, eventsFound: 0, refusals: 0, messages: 0, messagesDecided: 0, inFlight: 0 },
  };
  readonly #byCode = new Map<DifferenceCode, number>();
  readonly #differences: Finding<DifferenceCode>[] = [];
  readonly #unproven: Finding<UnprovenCode>[] = [];
  readonly #attention: Finding<AttentionCode>[] = [];

  differs(code: DifferenceCode, subject: string, detail?: string): void {
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
    list(this.#differences, DIFFERENCES, code, subject, detail);
  }

  unproven(code: UnprovenCode, subject: string, detail?: string): void {
    list(this.#unproven, UNPROVEN, code, subject, detail);
  }

  needsAttention(code: AttentionCode, subject: string, detail?: string): void {
    list(this.#attention, ATTENTION, code, subject, detail);
  }

  report(window: Window, startedAt: Micros, finishedAt: Micros, graceMs: number): ReconciliationReport {
    const outcome = this.#byCode.size > 0 ? 'differs' : this.#unproven.length > 0 ? 'unproven' : 'agrees';
    return {
      outcome,
      from: instantOfMicros(window.from),
      to: instantOfMicros(window.to),
      startedAt: instantOfMicros(startedAt),
      finishedAt: instantOfMicros(finishedAt),
      graceMs,
      counts: this.counts,
      differencesByCode: Object.fromEntries([...this.#byCode].sort(([a], [b]) => a.localeCompare(b))),
      differences: this.#differences,
      unproven: this.#unproven,
      attention: this.#attention,
    };
  }
}

function list<Code extends string>(
  findings: Finding<Code>[],
  actions: Readonly<Record<Code, string>>,
  code: Code,
  subject: string,
  detail: string | undefined,
): void {
  if (findings.length >= MAX_LISTED) return;
  findings.push({ code, subject, ...(detail !== undefined && { detail }), action: actions[code] });
}
