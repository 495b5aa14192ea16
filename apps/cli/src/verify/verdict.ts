import {
  isExpired,
  readEnvelope,
  verifyContract,
  type SignatureVerifier,
  type VerificationContext,
} from '@v402/contract';
import { printable, type ContractId, type Instant, type Refusal, type RefusalCode } from '@v402/domain';

/** What can be said of a contract without knowing what was accepted before. Its members are those of `--json`. */
export interface Verdict {
  readonly outcome: 'accepted' | 'rejected';
  readonly code: RefusalCode | null;
  /** JSON Pointer of the first fault. */
  readonly where: string | null;
  readonly contractId: ContractId | null;
  readonly shortRef: string | null;
  /** The arrival that the contract was judged by. */
  readonly now: Instant;
  /** What the reader has to know of the verdict's limits, in sentences. */
  readonly notes: readonly string[];
}

const SUPERSEDES_NOTE =
  'The contract supersedes another: whether that one is the current contract of its negotiation ' +
  '(superseded_unknown, negotiation_conflict) only the handler can say that accepted it.';

/**
 * Section 7 but for what earlier contracts decide: duplicates, `superseded_unknown` and `negotiation_conflict`.
 * @param bytes of the Kafka value
 */
export async function judge(
  bytes: Uint8Array,
  context: VerificationContext,
  verifier: SignatureVerifier,
): Promise<Verdict> {
  const read = readEnvelope(bytes);
  const { arrival: now } = context;
  if (!read.ok) return { ...refused(read.refusal), contractId: null, shortRef: null, now, notes: [] };
  const { envelope, contractId, shortRef } = read.identified;
  const { contract } = envelope;
  const decision = await verifyContract(read.identified, context, verifier);
  const notes = contract.supersedes === undefined ? [] : [SUPERSEDES_NOTE];
  const identity = { contractId, shortRef, now, notes };
  if (!decision.ok) return { ...refused(decision.refusal), ...identity };
  if (isExpired(contract, now)) return { ...refused({ code: 'expired', where: '/contract/expiresAt' }), ...identity };
  return { outcome: 'accepted', code: null, where: null, ...identity };
}

function refused({ code, where }: Refusal): Pick<Verdict, 'outcome' | 'code' | 'where'> {
  return { outcome: 'rejected', code, where: where ?? null };
}

export function verdictText({ outcome, code, where, contractId, shortRef, notes }: Verdict): string {
  const place = where === null || where === '' ? '' : ` at ${where}`;
  return [
    code === null ? outcome : `${outcome}: ${code}${place}`,
    ...(contractId === null ? [] : [`contractId  ${contractId}`]),
    ...(shortRef === null ? [] : [`shortRef    ${shortRef}`]),
    ...notes.map((note) => `note: ${note}`),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}
