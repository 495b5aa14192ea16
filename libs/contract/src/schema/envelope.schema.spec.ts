import type { SettlementContract } from '@v402/domain';
import { buildContract } from '../builder/contract.builder.js';
import { buildTranscript } from '../builder/transcript.builder.js';
import { identifyContract } from '../canonical.js';
import { hasRefusedCharacter } from './fields.js';
import { checkSchema } from './envelope.schema.js';

const contract = buildContract({ charges: [{ type: 'tax', amount: '1.00', rate: '19' }] });
const transcript = buildTranscript({ rounds: 1, agreedAt: contract.agreedAt });

function refusalOf(document: unknown): unknown {
  const result = checkSchema(document);
  return result.ok ? undefined : result.refusal;
}

function invalidAt(where: string): unknown {
  return { code: 'schema_invalid', where };
}

function withTerms(terms: Partial<SettlementContract['terms']>): unknown {
  return { contract: { ...contract, terms: { ...contract.terms, ...terms } }, signatures: [] };
}

describe('schema of the envelope', () => {
  it('accepts what the builder makes and keeps its identity', () => {
    const result = checkSchema({ contract, signatures: [], transcript });
    if (!result.ok) throw new Error(result.refusal.where);
    expect(identifyContract(result.envelope.contract)).toEqual(identifyContract(contract));
    expect(result.envelope.transcript).toEqual(transcript);
  });

  it('says unsupported_spec for another string, whatever else is wrong', () => {
    expect(refusalOf({ contract: { spec: 'v402-settlement/2' } })).toEqual({
      code: 'unsupported_spec',
      where: '/contract/spec',
    });
    expect(refusalOf({ contract: { spec: 2 } })).toMatchObject({ code: 'schema_invalid' });
    expect(refusalOf([{ spec: 'x' }])).toEqual(invalidAt(''));
  });

  it.each<[string, unknown]>([
    [
      '/contract/terms/lines/0/unit',
      withTerms({ lines: contract.terms.lines.map((line) => ({ ...line, unit: 'c62' })) }),
    ],
    ['/contract/terms/lines/1/id', withTerms({ lines: [...contract.terms.lines, ...contract.terms.lines] })],
    ['/contract/terms/total', withTerms({ total: '-1.00' })],
    ['/contract/terms/payment/schedule', withTerms({ total: '0.00' })],
    [
      '/contract/terms/charges/0/rate',
      withTerms({ charges: [{ id: 'c1', type: 'freight', amount: '1.00', rate: '19' }] }),
    ],
    ['/contract/terms/delivery/place', withTerms({ delivery: { ...contract.terms.delivery, incoterm: 'DAP' } })],
    ['/contract/expiresAt', { contract: { ...contract, expiresAt: contract.agreedAt }, signatures: [] }],
    ['/contract/more', { contract: { ...contract, more: 1 }, signatures: [] }],
    ['/signatures', { contract }],
    ['/signatures/0/suite', { contract, signatures: [{ role: 'buyer', suite: 'pgp', kid: 'k', signature: 's' }] }],
    [
      '/transcript/1/seq',
      { contract, signatures: [], transcript: transcript.map((message, seq) => ({ ...message, seq: -seq })) },
    ],
  ])('points at the first fault: %s', (where, document) => {
    expect(refusalOf(document)).toEqual(invalidAt(where));
  });

  it('never repeats what a stranger wrote: a pointer ends before a name that is not plain', () => {
    expect(refusalOf({ contract: { ...contract, 'x\u0000y': 1 }, signatures: [] })).toEqual(invalidAt('/contract'));
    expect(refusalOf({ contract, signatures: [], ['long'.repeat(20)]: 1 })).toEqual(invalidAt(''));
  });

  it('looks at the length of a list before its items', () => {
    const lines = Array.from({ length: 100_000 }, () => 0);
    expect(refusalOf({ contract: { ...contract, terms: { ...contract.terms, lines } }, signatures: [] })).toEqual(
      invalidAt('/contract/terms/lines'),
    );
    expect(refusalOf({ contract, signatures: Array.from({ length: 100_000 }, () => 0) })).toEqual(
      invalidAt('/signatures'),
    );
  });

  it.each([
    ['one label', { plain: 'x' }],
    ['a prototype name', JSON.parse('{"a.b":"x","__proto__":"x"}') as unknown],
    ['a prototype name that holds an object', JSON.parse('{"__proto__":{"a.b":"x"}}') as unknown],
    ['a name of 513 characters', { [`a.${'b'.repeat(511)}`]: 'x' }],
    ['a value that is no text', { 'a.b': 1 }],
  ])('refuses an extension with %s', (_, extensions) => {
    expect(refusalOf({ contract: { ...contract, extensions }, signatures: [] })).toMatchObject({
      code: 'schema_invalid',
    });
  });

  it('accepts an extension name of 512 characters', () => {
    expect(
      refusalOf({ contract: { ...contract, extensions: { [`a.${'b'.repeat(510)}`]: 'x' } }, signatures: [] }),
    ).toBeUndefined();
  });

  it.each<[string, string, string | undefined]>([
    ['numbers only as members that hold integers', '{"days":-7,"offer":{"seq":1,"rounds":2}}', undefined],
    ['any other JSON', '{"":null,"a":[true,"",["x"]],"__proto__":{"constructor":"x"}}', undefined],
    ['a number of another name', '{"offer":{"price":1}}', '/transcript/0/body/offer/price'],
    ['a number in a list', '{"days":["a",1]}', '/transcript/0/body/days/1'],
    ['a number below a prototype name', '{"__proto__":{"n":1}}', '/transcript/0/body/__proto__/n'],
    ['a refused character in a text', '{"a":["b","\\u202e"]}', '/transcript/0/body/a/1'],
    ['a refused character in a name', '{"a":{"\\u0000":"x"}}', '/transcript/0/body/a'],
  ])('body: %s', (_, body, where) => {
    const [first, ...rest] = transcript;
    const document = {
      contract,
      signatures: [],
      transcript: [{ ...first, body: JSON.parse(body) as unknown }, ...rest],
    };
    const result = checkSchema(document);
    expect(result.ok ? undefined : result.refusal).toEqual(where === undefined ? undefined : invalidAt(where));
    if (result.ok) expect(JSON.stringify(result.envelope.transcript?.[0]?.body)).toBe(body);
  });

  it('refuses exactly the characters that section 3 names', () => {
    const isRefused = (point: number): boolean =>
      point <= 0x1f ||
      (point >= 0x7f && point <= 0x9f) ||
      (point & 0xfffe) === 0xfffe ||
      (point >= 0xfdd0 && point <= 0xfdef) ||
      [0x061c, 0x200e, 0x200f].includes(point) ||
      (point >= 0x202a && point <= 0x202e) ||
      (point >= 0x2066 && point <= 0x2069);
    const wrong: number[] = [];
    for (let point = 0; point <= 0x10ffff; point += 1) {
      const isSurrogate = point >= 0xd800 && point <= 0xdfff;
      if (!isSurrogate && hasRefusedCharacter(String.fromCodePoint(point)) !== isRefused(point)) wrong.push(point);
    }
    expect(wrong).toEqual([]);
  });
});
