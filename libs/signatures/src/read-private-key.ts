import { privateKeyError } from './suites/private-key-error.js';
import type { SigningKey } from './suites/signature-suite.js';
import { suites } from './suites/suites.js';

/**
 * Reads the text of a private key file: 32 bytes of hex (suite `eip712`) or a private JWK (suite `jws`).
 *
 * @param kid the name to sign under, as the other side's registry knows the key. Without it a JWK's own `kid`, or the
 *   account of a hex key on Ethereum's main chain.
 * @throws TerminalError `private_key_invalid`, `private_key_without_kid`, `private_key_kid_mismatch`; no error holds any
 *   part of the key
 */
export function readPrivateKey(text: string, kid?: string): SigningKey {
  for (const suite of Object.values(suites)) {
    const key = suite.readPrivateKey(text, kid);
    if (key !== undefined) return key;
  }
  throw privateKeyError('private_key_invalid', 'The text is neither 32 bytes of hex nor a private JWK.');
}
