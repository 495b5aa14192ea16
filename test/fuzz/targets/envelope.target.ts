import {
  canonicalBytes,
  isExpired,
  parseStrictJson,
  readEnvelope,
  verifyContract,
  type IdentifiedEnvelope,
  type JsonValue,
  type VerificationContext,
} from '@v402/contract';
import { loadTrustRegistry, TrustedSignatureVerifier } from '@v402/signatures';
import { Chance } from '../chance.js';
import { GENUINE, loadHardCases, REGISTRY, SAMPLES, signatureKey, type Sample } from '../corpus.js';
import { isGenuineVariant } from '../genuine.js';
import { otherJson } from '../json-form.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutateJson } from '../mutate-json.js';
import { refused } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

export interface EnvelopeInput {
  readonly bytes: Uint8Array;
  readonly context: VerificationContext;
  /** Chooses the other form that an accepted envelope is written in. */
  readonly otherForm: number;
}

export const verifier = new TrustedSignatureVerifier(loadTrustRegistry(Buffer.from(JSON.stringify(REGISTRY))));
const HARD = loadHardCases('envelope.json');
const MOMENTS = [
  '0000-01-01T00:00:00Z',
  '1969-12-31T23:59:59.999Z',
  '2026-11-22T10:15:30.120Z',
  '9999-12-31T23:59:59Z',
];

export function contextOf({ now, handlerId }: Pick<Sample, 'now' | 'handlerId'>): VerificationContext {
  return { arrival: now, handlerId, servedParties: null, requireTranscript: false };
}

function generate(chance: Chance): EnvelopeInput {
  const sample = chance.pick(SAMPLES);
  const context = { ...contextOf(sample), ...(chance.oneIn(8) && otherContext(chance)) };
  return {
    bytes: chance.oneIn(500) ? chance.pick(HARD) : mutated(sample, chance),
    context,
    otherForm: chance.int(0, 2 ** 30),
  };
}

function otherContext(chance: Chance): VerificationContext {
  return {
    arrival: chance.pick(MOMENTS),
    handlerId: chance.pick([null, 'handler-1', '']),
    servedParties: chance.pick([null, [], ['did:web:buyer.example'], ['did:web:nobody.example']]),
    requireTranscript: chance.oneIn(2),
  };
}

function mutated({ bytes, document }: Sample, chance: Chance): Uint8Array {
  if (chance.oneIn(4)) return mutateBytes(bytes, chance);
  let changed: JsonValue = document;
  for (let left = chance.pick([0, 1, 1, 1, 2, 3]); left > 0; left -= 1) changed = mutateJson(changed, chance);
  return Buffer.from(chance.oneIn(2) ? JSON.stringify(changed) : otherJson(changed, chance), 'utf8');
}

async function run({ bytes, context, otherForm }: EnvelopeInput): Promise<Outcome> {
  const read = readEnvelope(bytes);
  if (!read.ok) return refused(read.refusal);
  identityIsStable(bytes, read.identified, otherForm);
  const decision = await verifyContract(read.identified, context, verifier);
  if (!decision.ok) return refused(decision.refusal);
  nothingForged(read.identified);
  const { contractId } = read.identified;
  return {
    kind: isExpired(read.identified.envelope.contract, context.arrival) ? 'expired' : 'accepted',
    decided: contractId,
  };
}

/** Written in another order, with other white space and other escapes, it is the same contract. */
function identityIsStable(bytes: Uint8Array, { contractId, canonical }: IdentifiedEnvelope, otherForm: number): void {
  const parsed = parseStrictJson(bytes);
  mustHold(parsed.ok, 'what is read as an envelope is strict JSON');
  const other = readEnvelope(Buffer.from(otherJson(parsed.value, new Chance(otherForm, 0)), 'utf8'));
  if (!other.ok) mustHold(other.refusal.code === 'too_large', 'another form of it is read');
  else mustHold(other.identified.contractId === contractId, 'another form of it is the same contract');
  const again = parseStrictJson(canonical);
  mustHold(again.ok && Buffer.compare(canonicalBytes(again.value), canonical) === 0, 'its canonical form is its own');
}

/** What is accepted was signed by those who have the keys: every signature is one that they made, for this contract. */
export function nothingForged({ contractId, envelope }: IdentifiedEnvelope): void {
  for (const { role, suite, kid, signature } of envelope.signatures) {
    const genuine = (text: string): boolean =>
      GENUINE.has(signatureKey(contractId, { role, suite, kid, signature: text }));
    mustHold(genuine(signature) || isGenuineVariant(signature, genuine), 'no accepted signature is forged');
  }
}

export const envelope = defineTarget('envelope', generate, run);
