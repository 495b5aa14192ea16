import { canonicalBytes, parseStrictJson } from '@v402/contract';
import { loadHardCases, VECTOR_BYTES } from '../corpus.js';
import type { Chance } from '../chance.js';
import { anyJson } from '../hostile.js';
import { otherJson } from '../json-form.js';
import { mutateBytes } from '../mutate-bytes.js';
import { refused } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

const HARD = loadHardCases('strict-json.json');
const SMALL_HARD = HARD.filter(({ length }) => length < 10_000);
/**
 * A member's name with an escape in it. V8's own reader (Node.js 24) sometimes leaves a member out where names are written so,
 * and is no judge of such a text. Nothing that decides over a contract reads objects with it.
 */
const ESCAPED_NAME = /"(?:[^"\\]|\\.)*\\.(?:[^"\\]|\\.)*"\s*:/s;
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function generate(chance: Chance): Uint8Array {
  switch (chance.int(0, 99)) {
    case 0:
      return chance.pick(HARD);
    default:
      return chance.oneIn(3)
        ? Buffer.from(otherJson(anyJson(chance), chance), 'utf8')
        : mutateBytes(chance.pick(chance.oneIn(2) ? SMALL_HARD : VECTOR_BYTES), chance);
  }
}

/** What the platform's own reader makes of the bytes. */
function platformRead(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(STRICT_UTF8.decode(bytes)) as unknown };
  } catch {
    return undefined;
  }
}

function run(bytes: Uint8Array): Outcome {
  const result = parseStrictJson(bytes);
  if (!result.ok) return refused(result.refusal);
  const platform = platformRead(bytes);
  mustHold(platform !== undefined, 'what is read, any JSON reader reads');
  const same = JSON.stringify(platform.value) === JSON.stringify(result.value);
  mustHold(same || ESCAPED_NAME.test(Buffer.from(bytes).toString('utf8')), 'any JSON reader reads the same value');
  const canonical = canonicalBytes(result.value);
  const again = parseStrictJson(canonical);
  // Escapes in the input may be shorter than what they stand for, so only the size can keep the canonical form from being read.
  if (!again.ok) mustHold(again.refusal.code === 'too_large', 'the canonical form is strict JSON');
  else mustHold(Buffer.compare(canonicalBytes(again.value), canonical) === 0, 'the canonical form is its own');
  return { kind: 'accepted', decided: Buffer.from(canonical).toString('base64') };
}

export const strictJson = defineTarget('strict-json', generate, run);
