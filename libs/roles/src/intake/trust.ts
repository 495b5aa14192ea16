import { readFileSync } from 'node:fs';
import type { Alarms, IntakePolicy } from '@v402/application';
import type { SignatureVerifier } from '@v402/contract';
import { codeOf, TerminalError } from '@v402/domain';
import type { Logger } from '@v402/observability';
import { loadTrustRegistry, TrustedSignatureVerifier, type TrustRegistry } from '@v402/signatures';
import { WatchedFile } from '../core/watched-file.js';

/**
 * Reads the trust registry, whole and strictly.
 * @throws TerminalError `trust_registry_unreadable`; `trust_registry_invalid` with every fault by its JSON Pointer
 */
export function readTrustRegistry(file: string): TrustRegistry {
  return loadTrustRegistry(readBytes(file));
}

interface TrustConfig {
  readonly file: string;
  readonly graceSeconds: number;
  readonly policy: Pick<IntakePolicy, 'servedParties'>;
}

/**
 * The trust registry as it is at this moment: once the file has changed, contracts are judged by what it says then, so
 * that a revocation needs no restart. A file that went bad raises an alarm, and the last good one counts.
 */
export class TrustInUse {
  readonly #verifier: WatchedFile<SignatureVerifier>;

  /** @throws what `readTrustRegistry` does */
  constructor({ file, graceSeconds, policy }: TrustConfig, alarms: Alarms, log: Logger) {
    const read = (): SignatureVerifier => {
      const registry = readTrustRegistry(file);
      warnOfStrangers(policy, registry, log);
      return new TrustedSignatureVerifier(registry, graceSeconds);
    };
    this.#verifier = new WatchedFile(file, read, {
      onFault: (error) => {
        const message = error instanceof TerminalError ? error.message : `The trust registry ${file} cannot be read.`;
        alarms.raise('trust_registry_invalid', message, { reason: codeOf(error) });
      },
      onChange: ({ registryDigest }) => {
        log.info({ code: 'trust_registry_changed', registryDigest }, 'Contracts are judged by the changed registry.');
      },
    });
  }

  /**
   * What judges the contracts that are looked at now. Asked for also while none comes, it says what has become of the file.
   */
  verifier(): SignatureVerifier {
    return this.#verifier.content;
  }
}

/** A served party without a key in the registry is no reason to stop, but none of its contracts can be accepted. */
function warnOfStrangers({ servedParties }: TrustConfig['policy'], registry: TrustRegistry, log: Logger): void {
  for (const party of servedParties ?? []) {
    if (registry.hasParty(party)) continue;
    log.warn(
      { code: 'served_party_not_in_registry', party },
      'V402_PARTIES names a party that the trust registry does not know: its contracts will be refused as unknown_party.',
    );
  }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `The trust registry ${file} cannot be read: set V402_TRUST_REGISTRY to a file that exists.`;
    throw new TerminalError('trust_registry_unreadable', message, {}, { cause });
  }
}
