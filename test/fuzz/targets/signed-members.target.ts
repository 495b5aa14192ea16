import { readEnvelope, verifyContract, type JsonValue } from '@v402/contract';
import type { Chance } from '../chance.js';
import { ACCEPTED, memberOf } from '../corpus.js';
import { ownObject } from '../hostile.js';
import { mutateJson } from '../mutate-json.js';
import { refused } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';
import { contextOf, verifier } from './envelope.target.js';

interface Input {
  readonly sample: number;
  readonly contract: JsonValue;
}

/** A contract that was accepted, changed in one place; its signatures stay. */
function generate(chance: Chance): Input {
  const sample = chance.int(0, ACCEPTED.length - 1);
  const contract = memberOf(ACCEPTED[sample]?.document, 'contract') ?? null;
  return { sample, contract: mutateJson(contract, chance) };
}

async function run({ sample, contract }: Input): Promise<Outcome> {
  const original = ACCEPTED[sample];
  mustHold(original !== undefined, 'the sample is there');
  const before = readEnvelope(original.bytes);
  mustHold(before.ok, 'the sample is accepted');
  const members = Object.entries(original.document ?? {}).filter(([name]) => name !== 'contract');
  const document = ownObject([['contract', contract], ...members]);
  const read = readEnvelope(Buffer.from(JSON.stringify(document), 'utf8'));
  if (!read.ok) return refused(read.refusal);
  const { contractId } = read.identified;
  const isSame = contractId === before.identified.contractId;
  const decision = await verifyContract(read.identified, contextOf(original), verifier);
  mustHold(decision.ok === isSame, isSame ? 'the same contract is accepted' : 'no other contract is accepted');
  return decision.ok ? { kind: 'unchanged', decided: contractId } : refused(decision.refusal);
}

export const signedMembers = defineTarget('signed-members', generate, run);
