import type { KeyEvidence } from '@v402/contract';
import type { ContractId } from '@v402/domain';
import type { DecisionRecord } from '../ports/evidence-store.js';
import type { SeenMessage } from './decide.js';
import type { IntakeContext } from './intake-context.js';

/** What is kept of a decision, whatever it was. */
export function decisionOf(
  { policy }: IntakeContext,
  { message, raw, arrival, registryDigest }: SeenMessage,
  decided: {
    readonly outcome: DecisionRecord['outcome'];
    readonly code: string | undefined;
    readonly contractId: ContractId | undefined;
    readonly keys: readonly KeyEvidence[];
  },
): DecisionRecord {
  const { coordinates } = message;
  return { ...decided, rawDigest: raw.digest, coordinates, arrival, registryDigest, codeVersion: policy.codeVersion };
}
