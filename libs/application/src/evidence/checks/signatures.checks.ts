import {
  isExpired,
  SignatureVerifier,
  verifyContract,
  type IdentifiedEnvelope,
  type SignatureDecision,
} from '@v402/contract';
import { TerminalError, type Refusal } from '@v402/domain';
import type { EvidenceFile } from '../evidence-file.js';
import { same, type EvidenceCheck, type Fail, type OpenedEvidence, type VerifyTools } from './evidence-check.js';

type Decision = EvidenceFile['decisions'][number];

/** The handler's own configuration is not in the file: a contract is judged as the one that it was meant for would. */
const contextAt = ({ envelope }: IdentifiedEnvelope, arrival: string) => ({
  arrival,
  handlerId: envelope.contract.audience ?? null,
  servedParties: null,
  requireTranscript: false,
});

export const signaturesCheck: EvidenceCheck = {
  code: 'signatures',
  proves:
    'Both parties signed the contract with the keys in the file, which were valid when it was agreed and, as recorded, when it arrived.',
  run: async ({ file, readMessage }, fail, tools) => {
    let isChecked = false;
    for (const [index, decision] of file.decisions.entries()) {
      if (decision.outcome !== 'accepted' && decision.outcome !== 'quarantined') continue;
      isChecked = true;
      const where = `/decisions/${index}`;
      const read = readMessage(decision.rawDigest);
      if (read?.ok !== true) fail(where, 'its message holds no contract');
      else await checkSigned(read.identified, decision, where, fail, tools);
    }
    return isChecked;
  },
};

async function checkSigned(
  identified: IdentifiedEnvelope,
  decision: Decision,
  where: string,
  fail: Fail,
  tools: VerifyTools,
): Promise<void> {
  const { arrival, keys, outcome } = decision;
  const verifier = verifierOf(identified, decision, tools);
  if (verifier === undefined) {
    fail(`${where}/keys`, 'are no keys that a trust registry can hold');
    return;
  }
  const decided = await verifyContract(identified, contextAt(identified, arrival.at), verifier);
  if (!decided.ok) fail(where, `the contract would be refused: ${refusalText(decided.refusal)}`);
  else if (!same(decided.keys, keys)) fail(`${where}/keys`, 'are not the keys that the signatures verify with');
  if (outcome === 'accepted' && isExpired(identified.envelope.contract, arrival.at)) {
    fail(`${where}/arrival/at`, 'lies after the contract had expired');
  }
}

function verifierOf(
  { envelope }: IdentifiedEnvelope,
  { keys }: Decision,
  tools: VerifyTools,
): SignatureVerifier | undefined {
  const { buyer, seller } = envelope.contract.parties;
  const entriesOf = (side: string): readonly string[] =>
    keys.filter(({ role }) => role === side).map(({ entry }) => entry);
  try {
    return tools.withKeys([
      { id: buyer.id, entries: entriesOf('buyer') },
      { id: seller.id, entries: entriesOf('seller') },
    ]);
  } catch (error) {
    if (error instanceof TerminalError) return undefined;
    throw error;
  }
}

export const registryCheck: EvidenceCheck = {
  code: 'registry',
  proves: 'The trust registry that was given is the one of the decision: same digest, and it holds those very keys.',
  run: ({ file, identified }, fail, { registry }) => {
    if (registry === undefined) return false;
    const { registryDigest } = registry.verifier;
    const decided = file.decisions.filter((each) => each.registryDigest === registryDigest);
    if (decided.length === 0) {
      fail('/decisions', `no decision was made with this registry, whose digest is ${registryDigest}`);
      return true;
    }
    const parties = identified?.envelope.contract.parties;
    for (const [index, { keys, registryDigest: digest }] of file.decisions.entries()) {
      if (digest !== registryDigest) continue;
      keys.forEach(({ role, suite, kid, entry }, place) => {
        const kept = parties && registry.entryOf(parties[role].id, suite, kid);
        if (kept !== entry)
          fail(`/decisions/${index}/keys/${place}/entry`, 'is not what the registry says of this key');
      });
    }
    return true;
  },
};

/** Stands for the registry where there is none: what follows the signatures can be judged all the same. */
class Unjudged extends SignatureVerifier {
  override readonly registryDigest = '';

  override verify(): Promise<SignatureDecision> {
    return Promise.resolve({ ok: true, keys: [] });
  }
}

export const refusalsCheck: EvidenceCheck = {
  code: 'refusals',
  proves: 'What was refused had to be refused, with this code and at this place, by what the message itself says.',
  run: async (opened, fail, tools) => {
    let isChecked = false;
    for (const [index, decision] of opened.file.decisions.entries()) {
      if (decision.outcome !== 'rejected') continue;
      const rejection = opened.file.rejections.find(
        ({ rawDigest, code }) => rawDigest === decision.rawDigest && code === decision.code,
      );
      const found = await refusalOf(opened, decision, tools);
      if (found === 'cannot_tell') continue;
      isChecked = true;
      const { code } = found ?? {};
      if (code !== decision.code)
        fail(`/decisions/${index}/code`, `the message says ${code ?? 'no reason to refuse it'}`);
      else if ((found?.where ?? null) !== rejection?.where) {
        fail(`/rejections/${opened.file.rejections.findIndex((each) => each === rejection)}/where`, 'is another place');
      }
    }
    return isChecked;
  },
};

/** What depends on earlier contracts, or on the handler's own configuration, no single message shows. */
const BEYOND_THE_MESSAGE: ReadonlySet<string | null> = new Set([
  'audience_mismatch',
  'superseded_unknown',
  'negotiation_conflict',
]);
/** Decided by the registry: without the very one, or its keys, nobody can repeat it. */
const BY_REGISTRY: ReadonlySet<string | null> = new Set([
  'unknown_party',
  'signature_missing',
  'signature_duplicate_role',
  'unknown_key',
  'role_not_permitted',
  'key_not_valid',
  'key_revoked',
  'suite_unavailable',
  'signature_malformed',
  'signature_invalid',
]);

async function refusalOf(
  { readMessage }: OpenedEvidence,
  { rawDigest, arrival, code, registryDigest }: Decision,
  { registry }: VerifyTools,
): Promise<Refusal | undefined | 'cannot_tell'> {
  const read = readMessage(rawDigest);
  if (read === undefined) return 'cannot_tell';
  if (!read.ok) return read.refusal;
  if (BEYOND_THE_MESSAGE.has(code)) return 'cannot_tell';
  const isSameRegistry = registry?.verifier.registryDigest === registryDigest;
  if (BY_REGISTRY.has(code) && !isSameRegistry) return 'cannot_tell';
  const { identified } = read;
  const verifier = isSameRegistry ? registry.verifier : new Unjudged();
  const context = { ...contextAt(identified, arrival.at), requireTranscript: code === 'transcript_mismatch' };
  const decided = await verifyContract(identified, context, verifier);
  if (!decided.ok) return decided.refusal;
  const { contract } = identified.envelope;
  return isExpired(contract, arrival.at) ? { code: 'expired', where: '/contract/expiresAt' } : undefined;
}

const refusalText = ({ code, where }: Refusal): string => (where === undefined ? code : `${code} at ${where}`);
