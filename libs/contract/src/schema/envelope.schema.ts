import { compareInstants, SIDES, STRATEGIES, type Refusal, type SettlementContract } from '@v402/domain';
import { z } from 'zod';
import {
  TRANSCRIPT_MESSAGE_TYPES,
  type ContractSignature,
  type SettlementEnvelope,
  type TranscriptMessage,
} from '../envelope.js';
import { safePointer, type Path } from '../json-pointer.js';
import {
  hasRefusedCharacter,
  instant,
  integer,
  list,
  negotiationId,
  plainText,
  sha256Hex,
  contractText,
} from './fields.js';
import { termsSchema } from './terms.schema.js';

export const SPEC = 'v402-settlement/1';
const MAX_VALIDITY_SECONDS = 366 * 86_400;
/** No signature or message is shorter than 100 bytes, so no list of them in a million bytes is longer. */
const MAX_ENTRIES = 10_000;
/** The members whose value is an integer, anywhere in the document. */
const INTEGER_MEMBERS: ReadonlySet<PropertyKey> = new Set(['days', 'windowDays', 'rounds', 'messageCount', 'seq']);

const party = z.strictObject({ id: plainText, name: plainText.exactOptional() });
const side = z.enum(SIDES);
const strategy = z.enum(STRATEGIES);

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object of open shape. It is passed on as it is: copied member by member it would lose a `__proto__`. */
function openObject<T extends Members>(findFault: (value: Members) => Path | undefined): z.ZodCustom<T> {
  return z.custom<T>().superRefine((value: unknown, ctx) => {
    const fault = isObject(value) ? findFault(value) : [];
    if (fault !== undefined) ctx.addIssue({ code: 'custom', path: [...fault] });
  });
}

/** Two or more dotted labels (section 1). */
const EXTENSION_NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;
const MAX_EXTENSION_NAME = 512;

const extensions = openObject<Readonly<Record<string, string>>>((value) => {
  const isGood = ([name, content]: [string, unknown]): boolean =>
    name.length <= MAX_EXTENSION_NAME && EXTENSION_NAME.test(name) && plainText.safeParse(content).success;
  const fault = Object.entries(value).find((entry) => !isGood(entry));
  return fault === undefined ? undefined : [fault[0]];
});

/**
 * Finds the first fault in a message's body, whose shape is the agents' own: a refused character in a name or a string,
 * or a number that is not the direct value of an integer member. The depth is bounded by the strict parser.
 */
function findBodyFault(value: unknown, name: PropertyKey): Path | undefined {
  if (typeof value === 'string') return hasRefusedCharacter(value) ? [] : undefined;
  if (typeof value === 'number') return INTEGER_MEMBERS.has(name) ? undefined : [];
  if (typeof value !== 'object' || value === null) return undefined;
  // A list's items have their index for a name, which is no integer member's.
  for (const [key, member] of Object.entries(value)) {
    const fault = hasRefusedCharacter(key) ? [] : findBodyFault(member, key);
    if (fault !== undefined) return [key, ...fault];
  }
  return undefined;
}

const message = z.strictObject({
  seq: integer(0),
  from: side,
  type: z.enum(TRANSCRIPT_MESSAGE_TYPES),
  at: instant,
  body: openObject((value) => findBodyFault(value, '')),
  prevHash: sha256Hex,
}) satisfies z.ZodType<TranscriptMessage>;

const kid = contractText(1, 200);

/** Only the suite `eip712` knows contract accounts, whose signatures may be long (section 3). */
const signature = z.discriminatedUnion('suite', [
  z.strictObject({ role: side, suite: z.literal('eip712'), kid, signature: contractText(1, 32_768) }),
  z.strictObject({ role: side, suite: z.literal('jws'), kid, signature: contractText(1, 512) }),
]) satisfies z.ZodType<ContractSignature>;

const contract = z
  .strictObject({
    spec: z.literal(SPEC),
    negotiationId,
    audience: plainText.exactOptional(),
    supersedes: sha256Hex.exactOptional(),
    parties: z.strictObject({ buyer: party, seller: party }),
    terms: termsSchema,
    negotiation: z.strictObject({
      strategies: z.strictObject({ buyer: strategy, seller: strategy }),
      rounds: integer(0),
      messageCount: integer(1),
      transcriptHash: sha256Hex,
    }),
    agreedAt: instant,
    expiresAt: instant,
    extensions: extensions.exactOptional(),
  })
  .superRefine((value, ctx) => {
    const isAfterAgreement = compareInstants(value.expiresAt, value.agreedAt) > 0;
    const isWithinLimit = compareInstants(value.expiresAt, value.agreedAt, MAX_VALIDITY_SECONDS) <= 0;
    if (!isAfterAgreement || !isWithinLimit) ctx.addIssue({ code: 'custom', path: ['expiresAt'] });
  }) satisfies z.ZodType<SettlementContract>;

const envelopeSchema = z.strictObject({
  contract,
  signatures: list(signature, 0, MAX_ENTRIES),
  transcript: list(message, 0, MAX_ENTRIES).exactOptional(),
}) satisfies z.ZodType<SettlementEnvelope>;

export type SchemaResult =
  { readonly ok: true; readonly envelope: SettlementEnvelope } | { readonly ok: false; readonly refusal: Refusal };

/** Checks the shape of a document (sections 1 and 3). Refuses with `unsupported_spec` or `schema_invalid`, in this order. */
export function checkSchema(document: unknown): SchemaResult {
  if (hasOtherSpec(document)) {
    return { ok: false, refusal: { code: 'unsupported_spec', where: '/contract/spec' } };
  }
  const result = envelopeSchema.safeParse(document);
  if (result.success) return { ok: true, envelope: result.data };
  return { ok: false, refusal: { code: 'schema_invalid', where: safePointer(firstFault(result.error.issues)) } };
}

function hasOtherSpec(document: unknown): boolean {
  if (!isObject(document) || !isObject(document['contract'])) return false;
  const spec = document['contract']['spec'];
  return typeof spec === 'string' && spec !== SPEC;
}

function firstFault(issues: readonly z.core.$ZodIssue[]): Path {
  const [issue] = issues;
  if (issue === undefined) return [];
  return issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
}
