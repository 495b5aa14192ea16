import { readEnvelope, verifyContract, type SignatureVerifier } from '@v402/contract';
import type { Arrival, ContractId } from '@v402/domain';
import type { RawMessage } from '../ports/evidence-store.js';
import type { ExaminedMessage } from './decide.js';
import { dealOf, rawMessageOf, type IdentifiedMessage, type InboundMessage } from './inbound-message.js';
import type { IntakePolicy } from './policy.js';

const NO_BYTES = new Uint8Array();

/** A message after its bytes were read, before anything is known of what came earlier. */
export interface ReadMessage {
  readonly message: InboundMessage;
  readonly raw: RawMessage;
  readonly result: { readonly identified: IdentifiedMessage } | Pick<RefusedVerdict, 'refusal'>;
}

type RefusedVerdict = Extract<Exclude<ExaminedMessage['verdict'], 'known'>, { refusal: unknown }>;

/** Section 7 up to `schema_invalid`. */
export function readMessage(message: InboundMessage): ReadMessage {
  const raw = rawMessageOf(message.value);
  const read = readEnvelope(message.value ?? NO_BYTES);
  if (!read.ok) return { message, raw, result: { refusal: read.refusal } };
  return {
    message,
    raw,
    result: { identified: { ...read.identified, deal: dealOf(read.identified.envelope.contract) } },
  };
}

/**
 * Section 7 from `same_party` to `transcript_mismatch`, for a contract that is not known yet.
 * @throws RetryableError when the verifier needs something that is away
 */
export async function examineMessage(
  { message, raw, result }: ReadMessage,
  arrival: Arrival,
  known: ReadonlySet<ContractId>,
  policy: IntakePolicy,
  verifier: SignatureVerifier,
): Promise<ExaminedMessage> {
  const seen = { message, raw, arrival, registryDigest: verifier.registryDigest };
  if (!('identified' in result)) return { ...seen, identified: undefined, verdict: result };
  const { identified } = result;
  if (known.has(identified.contractId)) return { ...seen, identified, verdict: 'known' };
  const verified = await verifyContract(identified, { ...policy, arrival: arrival.at }, verifier);
  const verdict = verified.ok ? { keys: verified.keys } : { refusal: verified.refusal };
  return { ...seen, identified, verdict };
}
