import { createHash } from 'node:crypto';
import { TerminalError, type ContractId, type SettlementContract } from '@v402/domain';
import { base32crockford } from '@scure/base';
import canonicalize from 'canonicalize';

/** The first characters of the contractId in base32 (section 2); an ERP's reference field has at least 35. */
const SHORT_REF_LENGTH = 26;

/**
 * The RFC 8785 (JCS) bytes of a JSON value: what is hashed and signed.
 *
 * @throws TerminalError `not_json` for what JSON cannot hold, e.g. undefined
 */
export function canonicalBytes(value: unknown): Uint8Array {
  const text = canonicalize(value);
  if (text === undefined) throw new TerminalError('not_json', 'Only a JSON value has a canonical form.');
  return Buffer.from(text, 'utf8');
}

/** Lowercase hex SHA-256. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The label of a contract that an order system stores; a look-up by it always compares the whole contractId afterwards. */
export function shortRefOf(contractId: ContractId): string {
  return base32crockford.encode(Buffer.from(contractId, 'hex')).slice(0, SHORT_REF_LENGTH);
}

/** A contract's identity (section 2). It never travels: a consumer always recomputes it. */
export interface ContractIdentity {
  readonly contractId: ContractId;
  readonly shortRef: string;
  /** The RFC 8785 bytes of the contract. */
  readonly canonical: Uint8Array;
}

export function identifyContract(contract: SettlementContract): ContractIdentity {
  const canonical = canonicalBytes(contract);
  const contractId = sha256Hex(canonical);
  return { contractId, shortRef: shortRefOf(contractId), canonical };
}
