import { TerminalError, type Side } from '@v402/domain';
import secp256k1 from 'secp256k1';
import { privateKeyError } from '../private-key-error.js';
import type { SignableContract, SigningKey } from '../signature-suite.js';
import { addressOfKid } from './eip712-key.js';
import { acceptanceDigest, addressOfPublicKey } from './typed-data.js';

const PRIVATE_KEY = /^(?:0x)?([0-9a-fA-F]{64})$/;

/** A key pair of a plain account. The secret is a private field: neither a log nor `JSON.stringify` shows it. */
class AccountSigningKey implements SigningKey {
  readonly suite = 'eip712';
  readonly #secret: Uint8Array;

  constructor(
    secret: Uint8Array,
    readonly kid: string,
  ) {
    this.#secret = secret;
  }

  /** Deterministic (RFC 6979), low s. */
  sign(signable: SignableContract, role: Side): string {
    const digest = acceptanceDigest(signable, role);
    if (digest === undefined) {
      throw new TerminalError('contract_not_signable', 'A contract that expires before 1970 has no EIP-712 form.', {
        role,
      });
    }
    const { signature, recid } = secp256k1.ecdsaSign(digest, this.#secret);
    return `0x${Buffer.from(signature).toString('hex')}${recid === 0 ? '1b' : '1c'}`;
  }
}

/** Reads 32 bytes of hex. Its kid is that of the key's account on Ethereum's main chain unless one is given. */
export function readEip712PrivateKey(text: string, kid?: string): SigningKey | undefined {
  const [, hex] = PRIVATE_KEY.exec(text.trim()) ?? [];
  if (hex === undefined) return undefined;
  const secret = Buffer.from(hex, 'hex');
  if (!secp256k1.privateKeyVerify(secret)) {
    throw privateKeyError('private_key_invalid', 'The hex text is no private key of secp256k1.');
  }
  const address = addressOfPublicKey(secp256k1.publicKeyCreate(secret, false));
  if (kid !== undefined && addressOfKid(kid) !== address) {
    throw privateKeyError('private_key_kid_mismatch', `The kid of this key is did:pkh:eip155:<chain>:${address}.`);
  }
  return new AccountSigningKey(secret, kid ?? `did:pkh:eip155:1:${address}`);
}
