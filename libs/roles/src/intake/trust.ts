import { readFileSync } from 'node:fs';
import { TerminalError } from '@v402/domain';
import { loadTrustRegistry, type TrustRegistry } from '@v402/signatures';

/**
 * Reads the trust registry, whole and strictly, before the first contract is looked at.
 * @throws TerminalError `trust_registry_unreadable`; `trust_registry_invalid` with every fault by its JSON Pointer
 */
export function readTrustRegistry(file: string): TrustRegistry {
  return loadTrustRegistry(readBytes(file));
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `The trust registry ${file} cannot be read: set V402_TRUST_REGISTRY to a file that exists.`;
    throw new TerminalError('trust_registry_unreadable', message, {}, { cause });
  }
}
