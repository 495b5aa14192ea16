import { keccak_256 } from '@noble/hashes/sha3.js';
import { acceptanceMessage } from '@v402/contract';
import type { Side } from '@v402/domain';
import type { SignableContract } from '../signature-suite.js';

const WORD_BYTES = 32;

function hashOf(text: string): Uint8Array {
  return keccak_256(Buffer.from(text, 'utf8'));
}

/** An unsigned integer below 2^64 as one big-endian EVM word. */
function wordOf(value: bigint): Uint8Array {
  const word = Buffer.alloc(WORD_BYTES);
  word.writeBigUInt64BE(value, WORD_BYTES - 8);
  return word;
}

/** The domain is a constant of the wire format, not a chain (section 6). */
const DOMAIN_SEPARATOR = keccak_256(
  Buffer.concat([
    hashOf('EIP712Domain(string name,string version,uint256 chainId)'),
    hashOf('v402 settlement'),
    hashOf('1'),
    wordOf(1n),
  ]),
);

const ACCEPTANCE_TYPE_HASH = hashOf(
  'SettlementAcceptance(bytes32 contractId,string role,string negotiationId,string buyer,string seller,' +
    'string total,string currency,uint64 expiresAt)',
);

const ROLE_HASHES: Readonly<Record<Side, Uint8Array>> = { buyer: hashOf('buyer'), seller: hashOf('seller') };

/**
 * The EIP-712 digest that a party signs to accept a contract, 32 bytes (section 6).
 * @returns `undefined` for a contract that ends before 1970, which `uint64 expiresAt` cannot say: nobody can sign it here
 */
export function acceptanceDigest({ contract, contractId }: SignableContract, role: Side): Uint8Array | undefined {
  const message = acceptanceMessage(contract, contractId, role);
  if (message.expiresAt < 0n) return undefined;
  const acceptance = keccak_256(
    Buffer.concat([
      ACCEPTANCE_TYPE_HASH,
      Buffer.from(contractId, 'hex'),
      ROLE_HASHES[role],
      hashOf(message.negotiationId),
      hashOf(message.buyer),
      hashOf(message.seller),
      hashOf(message.total),
      hashOf(message.currency),
      wordOf(message.expiresAt),
    ]),
  );
  return keccak_256(Buffer.concat([Buffer.of(0x19, 0x01), DOMAIN_SEPARATOR, acceptance]));
}

/** The address of an uncompressed public key (65 bytes): the last 20 bytes of its hash, as lower-case hex. */
export function addressOfPublicKey(publicKey: Uint8Array): string {
  return `0x${Buffer.from(keccak_256(publicKey.subarray(1)).subarray(-20)).toString('hex')}`;
}
