import {
  identifyContract,
  type ContractSignature,
  type SettlementEnvelope,
  type TranscriptMessage,
} from '@v402/contract';
import { SIDES, type SettlementContract, type Side } from '@v402/domain';
import type { SigningKey } from './suites/signature-suite.js';

/**
 * Signs a contract for one party. What is signed is not judged: an agent checks its contract before it signs.
 *
 * @throws TerminalError `contract_not_signable` where the suite cannot say what it would sign
 */
export function signContract(contract: SettlementContract, role: Side, key: SigningKey): ContractSignature {
  const signature = key.sign({ contract, ...identifyContract(contract) }, role);
  return { role, suite: key.suite, kid: key.kid, signature };
}

/** Signs a contract for both parties and writes its envelope: the UTF-8 bytes of the Kafka value (section 1). */
export function sealEnvelope(
  contract: SettlementContract,
  keys: Readonly<Record<Side, SigningKey>>,
  transcript?: readonly TranscriptMessage[],
): Uint8Array {
  const signatures = SIDES.map((role) => signContract(contract, role, keys[role]));
  const envelope: SettlementEnvelope = { contract, signatures, ...(transcript && { transcript }) };
  return Buffer.from(JSON.stringify(envelope), 'utf8');
}
