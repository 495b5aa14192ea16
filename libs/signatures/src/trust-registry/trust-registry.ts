import type { SuiteName } from '@v402/contract';
import type { VerificationKey } from '../suites/signature-suite.js';
import type { RegisteredKey } from './registry.schema.js';

/** A registered key, ready for use. */
export interface TrustedKey {
  readonly registered: RegisteredKey;
  readonly verification: VerificationKey;
  /** The registry's entry as JSON text in canonical form: what a decision keeps as evidence. */
  readonly entry: string;
}

/** A party that contracts may name. */
export interface TrustedParty {
  readonly id: string;
  /** For people; never compared with a contract's. */
  readonly name: string;
  readonly keys: readonly TrustedKey[];
}

function keyName(suite: SuiteName, kid: string): string {
  return `${suite} ${kid}`;
}

/** Says which party may sign with which key, in which role and when. Nothing in a contract can add to it. */
export class TrustRegistry {
  private readonly keysByParty: ReadonlyMap<string, ReadonlyMap<string, TrustedKey>>;

  constructor(
    readonly parties: readonly TrustedParty[],
    /** Hex SHA-256 of the registry's canonical form. */
    readonly digest: string,
  ) {
    this.keysByParty = new Map(
      parties.map(({ id, keys }) => [
        id,
        new Map(keys.map((key) => [keyName(key.registered.suite, key.registered.kid), key])),
      ]),
    );
  }

  /** Compared as an exact string. */
  hasParty(id: string): boolean {
    return this.keysByParty.has(id);
  }

  /** A key of that party and suite; its kid is compared as an exact string. */
  findKey(party: string, suite: SuiteName, kid: string): TrustedKey | undefined {
    return this.keysByParty.get(party)?.get(keyName(suite, kid));
  }
}
