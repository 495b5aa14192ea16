import { SIDES, type Side } from '@v402/domain';
import { z } from 'zod';

/** Marks a member as personal data. The mark is published in the JSON Schema, and the catalogue lists it. */
export const PERSONAL = { 'x-personal-data': true } as const;

const text = (pattern: RegExp, meta: { id?: string; description: string; format?: string }): z.ZodString =>
  z.string().regex(pattern).meta(meta);

export const contractId = text(/^[0-9a-f]{64}$/, {
  id: 'ContractId',
  description: 'SHA-256 of the canonical form of the contract, lowercase hex.',
});

export const shortRef = text(/^[0-9A-HJKMNP-TV-Z]{26}$/, {
  id: 'ShortRef',
  description: 'The first 26 characters of the contractId in Crockford base32. A label: compare contractIds.',
});

export const digest = text(/^[0-9a-f]{64}$/, { id: 'Digest', description: 'SHA-256, lowercase hex.' });

export const decimal = text(/^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$/, {
  id: 'Decimal',
  description: 'An exact decimal as text. Do not read it into a floating-point number.',
});

export const instant = text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, {
  id: 'Instant',
  description: 'RFC 3339 in UTC, any number of fraction digits.',
  format: 'date-time',
});

export const calendarDate = text(/^\d{4}-\d\d-\d\d$/, {
  id: 'CalendarDate',
  description: 'YYYY-MM-DD.',
  format: 'date',
});

export const currency = text(/^[A-Z]{3}$/, { description: 'ISO 4217 code.' });
export const unit = text(/^[A-Z0-9]{2,3}$/, { description: 'UN/ECE recommendation 20 unit code.' });

/** Stable, snake_case: connectors and dashboards build on it. */
export const code = text(/^[a-z][a-z0-9_]*$/, { description: 'A stable code. New ones may be added.' });

export const jsonPointer = text(/^(\/([^~/]|~0|~1)*)*$/, {
  description: 'JSON Pointer (RFC 6901) to the first fault, where one place can be named.',
});

export const money = z
  .strictObject({ amount: decimal, currency })
  .meta({ id: 'Money', description: 'An amount with its currency.' });

export const side = z
  .enum(SIDES as readonly [Side, ...Side[]])
  .meta({ id: 'Side', description: 'Which party of the contract this is handled for.' });

export const party = z
  .strictObject({
    id: z.string().min(1).meta({ description: 'The party id of the contract, for example a DID.' }),
    name: z.string().optional().meta(PERSONAL),
  })
  .meta({ id: 'Party' });

const parties = z.strictObject({ buyer: party, seller: party }).meta({ id: 'Parties' });

/** The members with which every event about an accepted contract begins. */
export const settlementMembers = {
  contractId,
  shortRef,
  negotiationId: z.string().min(1).meta({ description: 'The negotiation that led to the contract.' }),
  parties,
};

export const kafkaCoordinates = z
  .strictObject({
    topic: z.string().min(1),
    partition: z.int().min(0),
    offset: z.string().regex(/^\d+$/).meta({ description: 'A 64-bit integer as text.' }),
  })
  .meta({ id: 'KafkaCoordinates', description: 'Where the contract’s message stands.' });

export const arrival = z
  .strictObject({
    at: instant,
    source: z.enum(['broker', 'database']).meta({ description: 'Whose clock said so.' }),
  })
  .meta({ id: 'Arrival', description: 'When the message reached the handler.' });

export const attempt = z.int().min(1).meta({ description: 'From 1; raised by each new attempt.' });

export const idempotencyKeyMember = z
  .uuid({ version: 'v5' })
  .meta({ description: 'Act once per key. It stays the same on every resend and changes with the attempt.' });
