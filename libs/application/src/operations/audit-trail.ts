import { canonicalBytes, sha256Hex } from '@v402/contract';
import { instantOfMicros } from '@v402/domain';
import type { AuditEntry, AuditStore } from '../ports/audit-store.js';
import type { Transaction, UnitOfWork } from '../ports/unit-of-work.js';

/** What the first entry names as the digest before it. */
export const NO_DIGEST = '0'.repeat(64);

export type NewAuditEntry = Pick<AuditEntry, 'actor' | 'action' | 'subject' | 'contractId' | 'reason' | 'details'>;

/** SHA-256 over the RFC 8785 form of the entry, the previous digest included. */
export function auditDigest(entry: Omit<AuditEntry, 'digest'>): string {
  const { sequence, at, actor, login, action, subject, contractId, reason, details, previous } = entry;
  return sha256Hex(
    canonicalBytes({
      sequence: sequence.toString(),
      at: instantOfMicros(at),
      actor,
      login,
      action,
      subject,
      contractId: contractId ?? null,
      reason,
      details,
      previous,
    }),
  );
}

/** Appends an entry in the transaction of what it tells of: both are there, or neither. */
export async function appendAudit(tx: Pick<Transaction, 'audit' | 'now'>, entry: NewAuditEntry): Promise<AuditEntry> {
  const head = await tx.audit.lockHead();
  const whole = {
    ...entry,
    sequence: head.sequence + 1n,
    at: await tx.now(),
    login: head.login,
    previous: head.digest,
  };
  const appended = { ...whole, digest: auditDigest(whole) };
  await tx.audit.insert(appended);
  return appended;
}

export type ChainFault = 'sequence_gap' | 'previous_differs' | 'digest_differs';

export interface AuditVerdict {
  readonly entries: bigint;
  /** Digest of the last entry; 64 zeros where there is none. */
  readonly head: string;
  /** The first entry that does not fit, and why. */
  readonly broken: { readonly sequence: bigint; readonly fault: ChainFault } | undefined;
  /** Whether an entry has the digest that was expected; undefined where none was. */
  readonly hasExpectedHead: boolean | undefined;
}

const PAGE = 500;

/**
 * Recomputes the whole chain. It shows that no entry was changed, left out or exchanged; that none was cut off at the
 * end it shows only where a digest is given that was noted elsewhere.
 */
export async function verifyAuditTrail(unitOfWork: UnitOfWork, expectedHead?: string): Promise<AuditVerdict> {
  const walk = new ChainWalk(expectedHead);
  for (;;) {
    const page = await unitOfWork.run((tx) => tx.audit.after(walk.sequence, PAGE));
    const fits = page.every((entry) => walk.take(entry));
    if (!fits || page.length < PAGE) return walk.verdict();
  }
}

class ChainWalk {
  sequence = 0n;
  broken: AuditVerdict['broken'];
  #head = NO_DIGEST;
  #hasExpected: boolean;

  constructor(private readonly expectedHead: string | undefined) {
    this.#hasExpected = expectedHead === NO_DIGEST;
  }

  take(entry: AuditEntry): boolean {
    const fault = this.#faultOf(entry);
    if (fault !== undefined) {
      this.broken = { sequence: entry.sequence, fault };
      return false;
    }
    this.sequence = entry.sequence;
    this.#head = entry.digest;
    this.#hasExpected ||= entry.digest === this.expectedHead;
    return true;
  }

  verdict(): AuditVerdict {
    const hasExpectedHead = this.expectedHead === undefined ? undefined : this.#hasExpected;
    return { entries: this.sequence, head: this.#head, broken: this.broken, hasExpectedHead };
  }

  #faultOf(entry: AuditEntry): ChainFault | undefined {
    if (entry.sequence !== this.sequence + 1n) return 'sequence_gap';
    if (entry.previous !== this.#head) return 'previous_differs';
    return auditDigest(entry) === entry.digest ? undefined : 'digest_differs';
  }
}

/** What operators did about a contract, oldest first: for evidence and reports. */
export const auditOf = (audit: AuditStore, contractId: string): Promise<readonly AuditEntry[]> =>
  audit.about({ contractId });
