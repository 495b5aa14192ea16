import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildContract, type ContractDraft } from '@v402/contract';
import type { SettlementContract, Side } from '@v402/domain';
import { readPrivateKey, sealEnvelope, type SigningKey } from '@v402/signatures';

/** The folder of the published test vectors. */
export const VECTORS = join(import.meta.dirname, '../vectors/data');

export const TRUST_REGISTRY = join(VECTORS, 'trust-registry.json');
export const BUYER = 'did:web:buyer.example';
export const SELLER = 'did:web:seller.example';

interface VectorKey {
  readonly label: string;
  readonly kid: string;
  readonly privateKeyHex: string;
  readonly privateJwk?: object;
}

const { keys } = JSON.parse(readFileSync(join(VECTORS, 'keys.json'), 'utf8')) as { keys: VectorKey[] };

/** A test key by its label in `keys.json`. */
export function testKey(label: string): SigningKey {
  const key = keys.find((each) => each.label === label);
  if (key === undefined) throw new Error(`keys.json has no ${label}`);
  return readPrivateKey(key.privateJwk === undefined ? key.privateKeyHex : JSON.stringify(key.privateJwk), key.kid);
}

/** Never revoked and without an end, so that the tests hold on any day. */
export const SIGNERS: Readonly<Record<Side, SigningKey>> = {
  buyer: testKey('buyer-eip712-1'),
  seller: testKey('seller-ed25519-1'),
};

export interface Trade {
  readonly contract: SettlementContract;
  readonly envelope: Uint8Array;
}

/** A contract that both test parties agreed on a second ago, and signed. */
export function trade(draft: ContractDraft = {}, signers = SIGNERS): Trade {
  const agreedAt = new Date(Date.now() - 1_000).toISOString();
  const contract = buildContract({ agreedAt, ...draft });
  return { contract, envelope: sealEnvelope(contract, signers) };
}
