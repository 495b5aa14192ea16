import fc from 'fast-check';
import { MAX_BYTES, parseStrictJson } from './strict-json.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

function parse(text: string): ReturnType<typeof parseStrictJson> {
  return parseStrictJson(Buffer.from(text, 'utf8'));
}

function outcomeOf(text: string): string {
  const result = parse(text);
  return result.ok ? 'ok' : result.refusal.code;
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

const STRING_LITERAL = /"(?:[^"\\]|\\.)*"/g;

/**
 * Tells the outcome by other means: the platform's parser for the grammar, then what is left of the text without its
 * strings for depth, numbers and member counts.
 */
function expectedOutcome(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'malformed_json';
  }
  const strings = text.match(STRING_LITERAL) ?? [];
  const rest = text.replace(STRING_LITERAL, '').replace(/true|false|null/g, '');
  const numbers = rest.match(/[-+.0-9eE]+/g) ?? [];
  const isPlain = (source: string): boolean =>
    /^(?:0|-?[1-9][0-9]*)$/.test(source) && Number.isSafeInteger(Number(source));
  const isLone = (literal: string): boolean => /\p{Surrogate}/u.test(String(JSON.parse(literal)));
  if (depthOf(rest) > 16 || !numbers.every(isPlain) || strings.some(isLone)) return 'malformed_json';
  return rest.split(':').length - 1 === countMembers(value) ? 'ok' : 'duplicate_key';
}

function depthOf(brackets: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of brackets) {
    if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members: unknown[] = Object.values(value);
  return members.reduce<number>((sum, member) => sum + countMembers(member), Array.isArray(value) ? 0 : members.length);
}

describe('strict JSON', () => {
  it('reads what the platform reads', () => {
    const text = ' { "a" : [ 1 , -2 , true , false , null , "x\\n\\u00e9\\ud83d\\ude00😀" ] , "b" : { } } ';
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown });
  });

  it('keeps `__proto__` as a member like any other, and touches no prototype', () => {
    const result = parse('{"__proto__":{"polluted":1},"constructor":2}');
    if (!result.ok) throw new Error('It is well-formed.');
    expect(Object.keys(result.value as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(result.value)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });

  it('accepts the size limit and refuses one byte more, whatever it holds', () => {
    expect(outcomeOf(`"${'x'.repeat(MAX_BYTES - 2)}"`)).toBe('ok');
    expect(outcomeOf(`"${'x'.repeat(MAX_BYTES - 1)}"`)).toBe('too_large');
    expect(outcomeOf('['.repeat(MAX_BYTES + 1))).toBe('too_large');
  });

  it('accepts 16 levels and refuses 17, without using the stack for more', () => {
    expect([nested(16), nested(17), '['.repeat(MAX_BYTES)].map(outcomeOf)).toEqual([
      'ok',
      'malformed_json',
      'malformed_json',
    ]);
  });

  it('names the later of two equal members, after unescaping', () => {
    expect(parse('{"a":[0,{"b":1,"\\u0062":1}]}')).toEqual({
      ok: false,
      refusal: { code: 'duplicate_key', where: '/a/1/b' },
    });
    expect(outcomeOf('{"__proto__":1,"__proto__":1}')).toBe('duplicate_key');
    expect(outcomeOf('{"toString":1}')).toBe('ok');
  });

  it('says malformed before duplicate: the text is read to its end first', () => {
    expect(outcomeOf('{"a":1,"a":1')).toBe('malformed_json');
    expect(outcomeOf('{"a":1,"a":1}}')).toBe('malformed_json');
    expect(outcomeOf('{"a":1,"a":1.5}')).toBe('malformed_json');
  });

  it.each([
    ...[
      '',
      ' ',
      '\ufeff{}',
      '{} {}',
      '{,}',
      '[1,]',
      '{"a"}',
      "{'a':1}",
      '{"a":1,}',
      'nul',
      'nulll',
      'NaN',
      'Infinity',
      '01',
      '-',
      '+1',
    ],
    ...[
      '-0',
      '1.0',
      '1e2',
      '0.5',
      '9007199254740992',
      '-9007199254740992',
      '9'.repeat(400),
      '"\t"',
      '"\\x"',
      '"\\u12g4"',
      '"',
    ],
    ...['"\\ud800"', '"\\udc00"', '"\\udc00\\ud800"', '{"\\ud800":1}', '\u00a0{}', '{}\u0000', '[1\u000b]'],
  ])('refuses %j', (text) => {
    expect(parse(text)).toEqual({ ok: false, refusal: { code: 'malformed_json' } });
  });

  it.each([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]])(
    'refuses bytes %j in a string',
    (...bytes) => {
      const text = Buffer.concat([Buffer.from('"'), Buffer.from(bytes), Buffer.from('"')]);
      expect(parseStrictJson(text)).toEqual({ ok: false, refusal: { code: 'malformed_json' } });
      expect(outcomeOf('"a"')).toBe('ok');
    },
  );

  it.each(['0', '-1', '9007199254740991', '-9007199254740991'])('reads the integer %s', (text) => {
    expect(parse(text)).toEqual({ ok: true, value: Number(text) });
  });
});

/** JSON texts with odd white space, escapes, repeated and prototype names, and some numbers that are refused. */
const texts = fc.letrec<{ value: string }>((tie) => {
  const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r');
  const name = fc.oneof(
    fc.constantFrom('"a"', '"\\u0061"', '"__proto__"', '"constructor"', '""'),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  );
  const number = fc.oneof(
    fc.maxSafeInteger().map(String),
    fc.constantFrom('0', '-0', '1.0', '1e2', '9007199254740992'),
  );
  const leaf = fc.oneof(
    { weight: 8, arbitrary: fc.maxSafeInteger().map(String) },
    { weight: 1, arbitrary: number },
    { weight: 4, arbitrary: name },
    { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null') },
  );
  const spaced = fc.tuple(space, tie('value'), space).map((parts) => parts.join(''));
  const member = fc
    .tuple(space, name, space, spaced)
    .map(([before, key, after, value]) => `${before}${key}${after}:${value}`);
  const array = fc.array(spaced, { maxLength: 4 }).map((items) => `[${items.join(',')}]`);
  const object = fc.array(member, { maxLength: 4 }).map((members) => `{${members.join(',')}}`);
  return { value: fc.oneof({ maxDepth: 5, withCrossShrink: true }, leaf, array, object) };
}).value;

const edits = fc.array(
  fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 2 }),
    insert: fc.constantFrom(
      '',
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      '\\u',
      'd800',
      ' ',
      '-',
      '0',
      '7',
      '.',
      'e',
      'null',
      '\u0000',
      '\ufeff',
      '😀',
    ),
  }),
  { maxLength: 3 },
);

describe(`strict JSON against the platform's parser (PROPERTY_SEED=${seed})`, () => {
  it('agrees on every text, mutated or not, and reads the same value', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(texts, edits, (text, changes) => {
        const mutated = changes.reduce((before, { at, remove, insert }) => {
          const position = at % (before.length + 1);
          return before.slice(0, position) + insert + before.slice(position + remove);
        }, text);
        // An edit may cut a surrogate pair in two: what is judged is what the bytes say.
        const judged = Buffer.from(mutated, 'utf8').toString('utf8');
        const result = parse(judged);
        expect(result.ok ? 'ok' : result.refusal.code).toBe(expectedOutcome(judged));
        if (result.ok) expect(JSON.stringify(result.value)).toBe(JSON.stringify(JSON.parse(judged)));
        seen.add(outcomeOf(judged));
      }),
      { seed, numRuns: 1000 },
    );
    expect([...seen].sort()).toEqual(['duplicate_key', 'malformed_json', 'ok']);
  });

  it('answers any bytes with a result', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(typeof parseStrictJson(bytes).ok).toBe('boolean');
      }),
      { seed, numRuns: 1000 },
    );
  });
});
