import { TerminalError } from '@v402/domain';
import { auditCheck } from './checks/audit.check.js';
import {
  openedEvidence,
  type EvidenceCheck,
  type Fail,
  type OpenedEvidence,
  type VerifyTools,
} from './checks/evidence-check.js';
import { eventBytesCheck, eventContentsCheck, eventIdsCheck, eventSequencesCheck } from './checks/events.checks.js';
import { holdsCheck } from './checks/holds.check.js';
import { decisionsCheck, identityCheck, messageBytesCheck, sealCheck } from './checks/messages.checks.js';
import { deliveriesCheck, paymentsCheck } from './checks/obligations.checks.js';
import { chainCheck, ordersCheck, orderSystemCheck, settlementCheck } from './checks/orders.checks.js';
import { refusalsCheck, registryCheck, signaturesCheck } from './checks/signatures.checks.js';
import type { EvidenceFile } from './evidence-file.js';
import { openEvidence, type EvidenceFault } from './open-evidence.js';

/** In the order in which they are reported. */
const CHECKS: readonly EvidenceCheck[] = [
  sealCheck,
  messageBytesCheck,
  identityCheck,
  decisionsCheck,
  signaturesCheck,
  registryCheck,
  refusalsCheck,
  chainCheck,
  settlementCheck,
  ordersCheck,
  orderSystemCheck,
  paymentsCheck,
  deliveriesCheck,
  eventBytesCheck,
  eventIdsCheck,
  eventSequencesCheck,
  eventContentsCheck,
  holdsCheck,
  auditCheck,
];

const FORMAT = {
  code: 'format',
  proves: 'The file is an evidence file, v402-evidence/1, without a member of its own.',
};

/** What no file can prove, however well it verifies. */
const CLAIMS: readonly string[] = [
  'Times and Kafka coordinates are what the handler’s broker and database said. The arrival decides expiry and the validity of keys.',
  'That the keys belonged to the parties says the trust registry. Keep it apart from the evidence, and give it with --registry.',
  'The seal shows that the file is whole, not who made it: whoever changes the file can seal it again.',
  'What the file leaves out cannot be seen: an event after the last one of a topic, another message, another hold.',
  'What the handler’s own configuration decided (its audience, the parties that it serves) and what it had accepted before is not in a message.',
];

export interface CheckedEvidence {
  readonly code: string;
  /** `not_checked`: the file has nothing to check it on, or what it takes was not given. */
  readonly outcome: 'proven' | 'failed' | 'not_checked';
  readonly proves: string;
  readonly faults: readonly EvidenceFault[];
}

/** What became of a file's verification. Its members are those of `v402 verify --json`. */
export interface EvidenceVerdict {
  readonly outcome: 'verified' | 'failed';
  readonly subject: EvidenceFile['subject'] | null;
  readonly checks: readonly CheckedEvidence[];
  /** What remains a claim of whoever made the file, in sentences. */
  readonly claims: readonly string[];
}

/**
 * Checks an evidence file by itself: no database, no network, no clock.
 * @returns undefined where the bytes do not even mean to be evidence
 * @throws RetryableError when a signature can only be checked with something that is away
 */
export async function verifyEvidence(bytes: Uint8Array, tools: VerifyTools): Promise<EvidenceVerdict | undefined> {
  const read = openEvidence(bytes);
  if (read.outcome === 'not_evidence') return undefined;
  if (read.outcome === 'faulty') {
    const format = { ...FORMAT, outcome: 'failed', faults: read.faults } as const;
    return { outcome: 'failed', subject: null, checks: [format], claims: CLAIMS };
  }
  const opened = openedEvidence(read.file);
  const checks: CheckedEvidence[] = [{ ...FORMAT, outcome: 'proven', faults: [] }];
  for (const check of CHECKS) checks.push(await run(check, opened, tools));
  const outcome = checks.some((check) => check.outcome === 'failed') ? 'failed' : 'verified';
  return { outcome, subject: read.file.subject, checks, claims: CLAIMS };
}

async function run(check: EvidenceCheck, opened: OpenedEvidence, tools: VerifyTools): Promise<CheckedEvidence> {
  const faults: EvidenceFault[] = [];
  const isChecked = await tried(check, opened, (where, what) => faults.push({ where, what }), tools);
  const outcome = faults.length > 0 ? 'failed' : isChecked ? 'proven' : 'not_checked';
  return { code: check.code, outcome, proves: check.proves, faults };
}

/** What cannot even be computed from a member, such as a date beyond the calendar, is a fault of the file. */
async function tried(check: EvidenceCheck, opened: OpenedEvidence, fail: Fail, tools: VerifyTools): Promise<boolean> {
  try {
    return await check.run(opened, fail, tools);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    fail('', `cannot be computed: ${error.code}`);
    return true;
  }
}
