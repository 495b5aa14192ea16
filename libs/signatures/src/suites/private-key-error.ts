import { TerminalError } from '@v402/domain';

type PrivateKeyFault = 'private_key_invalid' | 'private_key_without_kid' | 'private_key_kid_mismatch';

/**
 * A private key cannot be used. The error has no cause on purpose: those of parsers and crypto libraries may quote what
 * they were given, and what they were given is the key.
 */
export function privateKeyError(code: PrivateKeyFault, message: string): TerminalError {
  return new TerminalError(code, message);
}
