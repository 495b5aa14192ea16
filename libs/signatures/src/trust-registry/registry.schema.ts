import { SUITES } from '@v402/contract';
import { isInstant, SIDES, type Instant, type Side } from '@v402/domain';
import { z } from 'zod';
import type { JsonObject } from '../suites/signature-suite.js';
import { suites } from '../suites/suites.js';

export const REGISTRY_FORMAT = 'v402-trust-registry/1';
const REVOCATION_REASONS = ['superseded', 'retired', 'compromised'] as const;

/** Section 3: no control, no noncharacter, no bidirectional control; `max` counts code points. */
function text(max: number): z.ZodString {
  const refused = String.raw`\p{Cc}\p{Noncharacter_Code_Point}\p{Surrogate}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069`;
  return z.string().regex(new RegExp(`^[^${refused}]{1,${max}}$`, 'u'));
}

const instant = text(512).refine((value): value is Instant => isInstant(value));

/** `buyer`, `seller` or both. The list is one value: a fault in it is the list's. */
const roles = z.custom<readonly Side[]>(
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((role) => SIDES.some((side) => side === role)),
);

/** What every registered key has, whatever its suite. */
const commonMembers = {
  kid: text(200),
  suite: z.enum(SUITES),
  roles,
  validFrom: instant,
  validUntil: instant.exactOptional(),
  revokedAt: instant.exactOptional(),
  revocationReason: z.enum(REVOCATION_REASONS).exactOptional(),
};

/** Reads the common members of a key and leaves its suite's. */
export const registeredKeySchema = z.object(commonMembers);
export type RegisteredKey = Readonly<z.infer<typeof registeredKeySchema>>;

/** Reads the parties; each key is looked at by itself, since its schema depends on its suite. */
export const registrySchema = z.strictObject({
  format: z.literal(REGISTRY_FORMAT),
  parties: z.array(z.strictObject({ id: text(512), name: text(512), keys: z.array(z.unknown()) })),
});

/** The strict schema of one key as it stands in the file. In a suite that is none, its own members cannot be told. */
export function keySchemaFor(entry: JsonObject): z.ZodType {
  const suite = z.enum(SUITES).safeParse(entry['suite']);
  if (!suite.success) return registeredKeySchema;
  return z.strictObject({ ...commonMembers, ...suites[suite.data].members(entry) });
}
