import type { IdentifiedEnvelope, SuiteName } from '@v402/contract';
import type { SettlementContract, Side } from '@v402/domain';
import type { z } from 'zod';

/** A JSON object as it stands in a file. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A contract with what is signed of it: its id and its RFC 8785 bytes (section 2). */
export interface SignableContract extends Pick<IdentifiedEnvelope, 'contractId' | 'canonical'> {
  readonly contract: SettlementContract;
}

/** Whether the signature is the key's over this contract; `false` is `signature_invalid`. */
export type SignatureCheck = (signable: SignableContract) => boolean;

/** A registered key, ready to check signatures. */
export interface VerificationKey {
  /** False where nothing that is configured can check the key's signatures (`suite_unavailable`). */
  readonly available: boolean;
  /**
   * Reads a signature's text in the form of section 6.
   * @returns what checks the signature itself, or `undefined` for another form (`signature_malformed`)
   */
  read(signature: string, role: Side): SignatureCheck | undefined;
}

/** A private key of an agent. It signs and tells its public name; nothing hands the secret back. */
export interface SigningKey {
  readonly suite: SuiteName;
  readonly kid: string;
  /** @returns the text of a contract's `signatures[].signature` */
  sign(signable: SignableContract, role: Side): string;
}

/**
 * One way to sign a settlement contract (section 6). A suite is one folder that implements this, and one line in
 * `suites.ts`; the trust registry, the verifier and the signing API know no suite by name.
 */
export interface SignatureSuite {
  readonly name: SuiteName;
  /** The member of a registered key that no other key in the registry may share. */
  readonly uniqueMember: string;
  /**
   * The schema of the members that registered keys have in this suite alone, and of common ones that it narrows.
   * @param entry the key as it stands in the registry, nothing of it checked yet
   */
  members(entry: JsonObject): z.ZodRawShape;
  /** The names of members that do not fit others of the same entry; a member that has a fault of its own is left out. */
  misfits(entry: JsonObject): readonly string[];
  /** Makes a registered key ready. The entry has passed `members` and `misfits`. */
  open(entry: unknown): VerificationKey;
  /**
   * Reads the text of a private key file.
   * @param kid the name to sign under, where the file does not say it or to say another
   * @returns `undefined` where the text is no key of this suite's form
   * @throws TerminalError `private_key_invalid`, `private_key_without_kid`, `private_key_kid_mismatch`; never with the key in it
   */
  readPrivateKey(text: string, kid?: string): SigningKey | undefined;
}
