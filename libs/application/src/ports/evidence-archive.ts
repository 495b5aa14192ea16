import type { EvidenceFacts } from '../evidence/evidence-file.js';

/** Reads what is stored of one contract or one message, all at one moment. */
export abstract class EvidenceArchive {
  /**
   * @param id a contractId, the shortRef of an accepted contract, or the digest of a message
   * @returns undefined where nothing of that name was ever decided
   * @throws RetryableError when the database cannot be asked
   */
  abstract read(id: string): Promise<EvidenceFacts | undefined>;
}
