import { readEnvelope } from '@v402/contract';
import { SIDES } from '@v402/domain';
import { readPrivateKey } from '@v402/signatures';
import { addSignature, readForSigning } from '../../../apps/cli/src/sign/add-signature.js';
import { judge, verdictText } from '../../../apps/cli/src/verify/verdict.js';
import { KEYS } from '../corpus.js';
import { refused, safeMessage } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';
import { envelope, verifier, type EnvelopeInput } from './envelope.target.js';
import type { Chance } from '../chance.js';

function generate(chance: Chance): EnvelopeInput {
  return envelope.generate(chance) as EnvelopeInput;
}

export const cliVerify = defineTarget(
  'cli-verify',
  generate,
  async ({ bytes, context }: EnvelopeInput): Promise<Outcome> => {
    const verdict = await judge(bytes, context, verifier);
    safeMessage(verdictText(verdict));
    const { code, where, contractId } = verdict;
    if (code !== null) return refused({ code, ...(where !== null && { where }) });
    return { kind: verdict.outcome, decided: contractId };
  },
);

const SIGNING_KEYS = KEYS.map(({ kid, privateKeyHex, privateJwk }) =>
  readPrivateKey(privateJwk === undefined ? privateKeyHex : JSON.stringify(privateJwk), kid),
);

export const cliSign = defineTarget(
  'cli-sign',
  generate,
  async ({ bytes, otherForm }: EnvelopeInput): Promise<Outcome> => {
    const read = await readForSigning(bytes);
    if (!read.ok) return refused(read.refusal);
    const key = SIGNING_KEYS[otherForm % SIGNING_KEYS.length];
    const role = SIDES[otherForm % 2];
    mustHold(key !== undefined && role !== undefined, 'there is a key and a role');
    // uint64 cannot say a time before 1970: such a contract has no EIP-712 form, and signing says so.
    if (key.suite === 'eip712' && read.identified.envelope.contract.expiresAt < '1970')
      return { kind: 'not signable', decided: '' };
    const signed = addSignature(read.identified.envelope, role, key);
    const again = readEnvelope(Buffer.from(JSON.stringify(signed), 'utf8'));
    if (!again.ok) return refused(again.refusal);
    mustHold(again.identified.contractId === read.identified.contractId, 'signing changes no contract');
    mustHold(signed.signatures.filter((each) => each.role === role).length === 1, 'a party signs once');
    return { kind: 'signed', decided: again.identified.contractId };
  },
);
