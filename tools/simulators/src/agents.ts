import { createECDH, createHash, createPrivateKey } from 'node:crypto';
import { addSeconds, type Instant } from '@v402/domain';
import { readPrivateKey, type SigningKey } from '@v402/signatures';
import type { Company } from './companies.js';

const DAY_SECONDS = 86_400;

/** The keys with which an agent signs as a good agent does: each suite and algorithm once. */
export const GOOD_KEYS = ['eip712', 'EdDSA', 'ES256'] as const;
/** Keys that the registry knows, and with which no contract can be accepted. */
const BAD_KEYS = ['otherRole', 'notYetValid', 'compromised', 'contractAccount'] as const;

export type GoodKey = (typeof GOOD_KEYS)[number];
export type AgentKey = GoodKey | (typeof BAD_KEYS)[number] | 'unregistered';

/** A key pair, and how the trust registry has it. */
interface KeyPair {
  readonly signing: SigningKey;
  readonly entry: object;
}

/** An agent of a company: what it signs with. All of it follows from the seed. */
export class Agent {
  constructor(
    readonly company: Company,
    private readonly seed: number,
  ) {}

  /** Good keys may sign for either role. */
  key(name: AgentKey): SigningKey {
    return this.#pair(name).signing;
  }

  /** A key of a stranger under the name of a registered one. */
  forgedKey(): SigningKey {
    return ed25519Pair(this.#secret('a stranger'), this.#kid('EdDSA')).signing;
  }

  /** This company's entry in a trust registry. A buyer must not sign with `otherRole`. */
  registered(now: Instant): object {
    const validFrom = addSeconds(now, -365 * DAY_SECONDS);
    const validity: Readonly<Record<Exclude<AgentKey, GoodKey | 'unregistered'>, object>> = {
      otherRole: { roles: ['seller'] },
      notYetValid: { validFrom: addSeconds(now, 365 * DAY_SECONDS) },
      compromised: { revokedAt: addSeconds(now, -30 * DAY_SECONDS), revocationReason: 'compromised' },
      contractAccount: { account: 'contract' },
    };
    const keys = [
      ...GOOD_KEYS.map((name) => this.#pair(name).entry),
      ...BAD_KEYS.map((name) => ({ ...this.#pair(name).entry, ...validity[name] })),
    ].map((entry) => ({ roles: ['buyer', 'seller'], validFrom, ...entry }));
    return { id: this.company.id, name: this.company.name, keys };
  }

  readonly #pairs = new Map<AgentKey, KeyPair>();

  #pair(name: AgentKey): KeyPair {
    const known = this.#pairs.get(name);
    if (known !== undefined) return known;
    const pair = this.#derive(name);
    this.#pairs.set(name, pair);
    return pair;
  }

  #derive(name: AgentKey): KeyPair {
    const secret = this.#secret(name);
    switch (name) {
      case 'eip712':
      case 'contractAccount':
        return accountPair(secret);
      case 'ES256':
        return p256Pair(secret, this.#kid(name));
      case 'EdDSA':
      case 'otherRole':
      case 'notYetValid':
      case 'compromised':
      case 'unregistered':
        return ed25519Pair(secret, this.#kid(name));
    }
  }

  #kid(name: AgentKey): string {
    return `${this.company.id}#${name}`;
  }

  #secret(name: string): Buffer {
    return createHash('sha256')
      .update(JSON.stringify(['v402 simulated agent', this.seed, this.company.id, name]))
      .digest();
  }
}

/** A plain account. */
function accountPair(secret: Buffer): KeyPair {
  const signing = readPrivateKey(secret.toString('hex'));
  const address = signing.kid.slice(signing.kid.lastIndexOf(':') + 1);
  return { signing, entry: { kid: signing.kid, suite: 'eip712', address } };
}

function ed25519Pair(secret: Buffer, kid: string): KeyPair {
  // RFC 8410: what stands before the 32 bytes of a private key in PKCS #8.
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret]);
  const { x } = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  return jwkPair('EdDSA', { kty: 'OKP', crv: 'Ed25519', x }, secret, kid);
}

function p256Pair(secret: Buffer, kid: string): KeyPair {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  return jwkPair('ES256', { kty: 'EC', crv: 'P-256', x, y }, secret, kid);
}

function jwkPair(alg: 'EdDSA' | 'ES256', publicKey: object, secret: Buffer, kid: string): KeyPair {
  const signing = readPrivateKey(JSON.stringify({ ...publicKey, d: secret.toString('base64url') }), kid);
  return { signing, entry: { kid, suite: 'jws', alg, publicKey } };
}
