import type { Side } from '@v402/domain';
import secp256k1 from 'secp256k1';
import type { SignableContract, SignatureCheck, VerificationKey } from '../signature-suite.js';
import { acceptanceDigest, addressOfPublicKey } from './typed-data.js';

const SIGNATURE = /^0x([0-9a-f]{128})(1b|1c)$/;
/** Half the order of the curve: the greatest `s` that is low. As hex of one length, numbers compare as text. */
const GREATEST_LOW_S = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0';

/** The address whose key made the signature, or `undefined` where no key did: r or s is 0, too large, or no point's. */
function recoverAddress(signature: Uint8Array, recoveryId: number, digest: Uint8Array): string | undefined {
  try {
    return addressOfPublicKey(secp256k1.ecdsaRecover(signature, recoveryId, digest, false));
  } catch {
    // The lengths and the recovery id are right, so what is left of its reasons to throw is a wrong signature.
    return undefined;
  }
}

/** The key of a plain account: 65 bytes r, s, v as lower-case hex, v 27 or 28, low s (section 6). */
export class AccountKey implements VerificationKey {
  readonly available = true;

  /** @param address 20 bytes as lower-case hex */
  constructor(private readonly address: string) {}

  read(text: string, role: Side): SignatureCheck | undefined {
    const [, rs = '', v] = SIGNATURE.exec(text) ?? [];
    if (v === undefined || rs.slice(64) > GREATEST_LOW_S) return undefined;
    const signature = Buffer.from(rs, 'hex');
    return (signable) => this.isSigner(signature, v === '1b' ? 0 : 1, signable, role);
  }

  private isSigner(signature: Uint8Array, recoveryId: number, signable: SignableContract, role: Side): boolean {
    const digest = acceptanceDigest(signable, role);
    return digest !== undefined && recoverAddress(signature, recoveryId, digest) === this.address;
  }
}

/** A contract account can only be asked through an RPC endpoint, and none can be configured. */
export const contractAccountKey: VerificationKey = { available: false, read: () => undefined };
