import { readdir } from 'node:fs/promises';
import type { z } from 'zod';
import { CATALOGUE, EVENT_TYPES, type EventType } from './catalogue.js';
import { readExamples } from './docs/examples.js';
import { jsonSchemaOf } from './json-schema.js';
import { personalDataOf } from './docs/schema-walk.js';

type Json = Record<string, unknown>;

const examples = await readExamples();

const dataOf = (type: EventType): Json => (JSON.parse(examples[type]) as { data: Json }).data;

const accepts = (schema: z.ZodType, data: unknown): boolean => schema.safeParse(data).success;

describe('catalogue', () => {
  test('behavior: has each file of events/, and each file is named after its event', async () => {
    const files = await readdir(new URL('events/', import.meta.url));
    const expected = EVENT_TYPES.map((type) => `${CATALOGUE[type].name.replace(/[._]/g, '-')}.event.ts`);
    expect(files.sort()).toEqual(expected.sort());
  });

  test('behavior: schema ids are unique URIs', () => {
    const ids = EVENT_TYPES.map((type) => CATALOGUE[type].dataschema);
    expect(new Set(ids).size).toBe(EVENT_TYPES.length);
    for (const id of ids) expect(new URL(id).protocol).toBe('urn:');
  });
});

describe.each(EVENT_TYPES)('%s', (type) => {
  const { name, schema, description, actor, dataschema } = CATALOGUE[type];

  test('behavior: is named by the convention and described', () => {
    expect(type).toBe(`org.v402.${name}.v1`);
    expect(description.length).toBeGreaterThan(20);
    expect(actor).toMatch(/\.$/);
  });

  test('behavior: its example fits its schema', () => {
    expect(schema.safeParse(dataOf(type)).error).toBeUndefined();
  });

  test('error: the schema refuses a missing, an unknown and a null member', () => {
    const data = dataOf(type);
    for (const member of jsonSchemaOf(type).required ?? []) {
      expect(accepts(schema, { ...data, [member]: undefined })).toBe(false);
      expect(accepts(schema, { ...data, [member]: null })).toBe(false);
    }
    expect(accepts(schema, { ...data, unheardOf: 1 })).toBe(false);
    expect(accepts(schema, {})).toBe(false);
  });

  test('behavior: the published schema is open to new members and identified', () => {
    const published = jsonSchemaOf(type);
    expect(JSON.stringify(published)).not.toContain('"additionalProperties":false');
    expect(published.$id).toBe(dataschema);
  });
});

test('error: money is a decimal text with a currency code, never a number', () => {
  const { schema } = CATALOGUE['org.v402.payment.scheduled.v1'];
  const data = dataOf('org.v402.payment.scheduled.v1');
  for (const amount of [652, '652,00', '1e3', '-', '']) {
    expect(accepts(schema, { ...data, amount: { amount, currency: 'EUR' } })).toBe(false);
  }
  expect(accepts(schema, { ...data, amount: { amount: '652.00', currency: 'eur' } })).toBe(false);
});

test('behavior: personal data is found at every depth and in every variant', () => {
  expect(personalDataOf(jsonSchemaOf('org.v402.payment.requested.v1'))).toEqual([
    'parties.buyer.name',
    'parties.seller.name',
    'debtor.name',
    'creditor.name',
    'creditor.account.identification',
    'x402.payTo',
  ]);
  expect(personalDataOf(jsonSchemaOf('org.v402.settlement.accepted.v1'))).toEqual(
    expect.arrayContaining(['terms.delivery.shipTo.street', 'terms.payment.schedule[].x402.payTo', 'extensions']),
  );
  expect(personalDataOf(jsonSchemaOf('org.v402.contract.quarantined.v1'))).toContain('parties.buyer.name');
});
