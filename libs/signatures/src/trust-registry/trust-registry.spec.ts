import { createHash } from 'node:crypto';
import { loadTrustRegistry, TrustRegistryError } from './load-trust-registry.js';

const ADDRESS = '0xeeb520f0caa8cca428ae41b44e9e0f14de197857';

const account = {
  kid: `did:pkh:eip155:1:${ADDRESS}`,
  suite: 'eip712',
  address: ADDRESS,
  roles: ['buyer'],
  validFrom: '2025-01-01T00:00:00Z',
};
const ed25519 = {
  kid: 'did:web:seller.example#1',
  suite: 'jws',
  alg: 'EdDSA',
  publicKey: { kty: 'OKP', crv: 'Ed25519', x: 'M5lCnnC295UHQcN7GE-x3Rl2ctSSGzK04RYMy0jzz4c' },
  roles: ['buyer', 'seller'],
  validFrom: '2025-01-01T00:00:00Z',
};

function registryWith(keys: readonly unknown[], more: object = {}): object {
  return { format: 'v402-trust-registry/1', parties: [{ id: 'did:web:a.example', name: 'A', keys }], ...more };
}

function load(registry: unknown): ReturnType<typeof loadTrustRegistry> {
  return loadTrustRegistry(Buffer.from(typeof registry === 'string' ? registry : JSON.stringify(registry)));
}

function problemsOf(registry: unknown): readonly string[] {
  try {
    load(registry);
    return [];
  } catch (error) {
    if (error instanceof TrustRegistryError) return error.problems;
    throw error;
  }
}

function messageOf(fails: () => unknown): string {
  try {
    fails();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('It did not fail.');
}

/** The faults of one key, without the path that leads to it. */
function faultsOf(key: object): readonly string[] {
  return problemsOf(registryWith([key])).map((pointer) => pointer.replace('/parties/0/keys/0', ''));
}

describe('trust registry: look-up', () => {
  const registry = load(registryWith([account, ed25519]));

  it('finds a key by the exact strings of party, suite and kid', () => {
    expect(registry.findKey('did:web:a.example', 'eip712', account.kid)?.registered).toMatchObject({
      roles: ['buyer'],
    });
    expect(registry.findKey('did:web:a.example', 'jws', account.kid)).toBeUndefined();
    expect(registry.findKey('did:web:A.example', 'eip712', account.kid)).toBeUndefined();
    expect(registry.findKey('did:web:a.example', 'eip712', account.kid.toUpperCase())).toBeUndefined();
    expect(registry.findKey('did:web:a.example', 'eip712', 'constructor')).toBeUndefined();
    expect(registry.hasParty('did:web:a.example')).toBe(true);
    expect(registry.hasParty('__proto__')).toBe(false);
  });

  it('keeps the entry as canonical text', () => {
    const { alg, kid, publicKey, roles, suite, validFrom } = ed25519;
    const { crv, kty, x } = publicKey;
    const canonical = { alg, kid, publicKey: { crv, kty, x }, roles, suite, validFrom };
    expect(registry.findKey('did:web:a.example', 'jws', ed25519.kid)?.entry).toBe(JSON.stringify(canonical));
  });

  it('has a digest of its canonical form: layout does not change it, a value does', () => {
    const text = '{"format":"v402-trust-registry/1","parties":[]}';
    const digest = createHash('sha256').update(text).digest('hex');
    expect(load(text).digest).toBe(digest);
    expect(load('{ "parties": [],\n "format": "v402-trust-registry/1" }').digest).toBe(digest);
    expect(registry.digest).not.toBe(digest);
  });
});

describe('trust registry: faults', () => {
  it.each([[null], [[]], ['"text"'], ['7']])('error: %j is no registry', (value) => {
    expect(problemsOf(value)).toEqual(['']);
  });

  it.each([
    ['cut off', '{"format":"v402-trust-registry/1","parties":[', ['']],
    ['a member twice', '{"format":"v402-trust-registry/1","parties":[],"parties":[]}', ['/parties']],
    ['a byte-order mark', '\ufeff{"format":"v402-trust-registry/1","parties":[]}', ['']],
  ])('error: no strict JSON, %s', (_, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it('names every fault at once, sorted by code point, in the message too', () => {
    const strange = JSON.stringify(registryWith([{ ...account, roles: [], validFrom: 'x', kid: '' }])).replace(
      '{"format"',
      '{"\u{1f511}":1,"\uff5e":1,"a/b~c":1,"__proto__":1,"format"',
    );
    const problems = [
      '/__proto__',
      '/a~1b~0c',
      '/parties/0/keys/0/kid',
      '/parties/0/keys/0/roles',
      '/parties/0/keys/0/validFrom',
      '/\uff5e',
      '/\u{1f511}',
    ];
    expect(problemsOf(strange)).toEqual(problems);
    expect(() => load(strange)).toThrow(problems.join(', '));
  });

  it('tells of thousands of faults the first ones, and of a strange name its beginning as it can be seen', () => {
    const escape = '\\u001b';
    const names = Array.from({ length: 5_000 }, (_, index) => `"${escape}[2J${'x'.repeat(500)}${index}":1,`).join('');
    const many = JSON.stringify(registryWith([])).replace(
      '{"format"',
      `{${names.slice(0, 900_000)}"z":1,"format"`.replace(/,"[^"]*"z"/, ',"z"'),
    );
    const message = messageOf(() => load(many));
    expect(problemsOf(many).length).toBeGreaterThan(1_000);
    expect(message).toMatch(/and \d{4} more places\.$/);
    expect(message).toContain(String.raw`/\u{1b}[2Jxxx`);
    expect(message.length).toBeLessThan(10_000);
  });

  it.each<[string, object, readonly string[]]>([
    ['a role twice', { ...account, roles: ['buyer', 'buyer'] }, ['/roles']],
    ['roles as a text', { ...account, roles: 'buyer' }, ['/roles']],
    ['null for a time', { ...account, validUntil: null }, ['/validUntil']],
    ['a kid of another form', { ...account, kid: 'did:web:a.example#1' }, ['/kid']],
    ['a chain with a zero in front', { ...account, kid: account.kid.replace(':1:', ':01:') }, ['/kid']],
    ['an account of no kind', { ...account, account: 'safe' }, ['/account']],
    ['no algorithm', { ...ed25519, alg: undefined }, ['/alg']],
    ['no public key', { ...ed25519, publicKey: undefined }, ['/publicKey']],
    ['no suite: its members are not judged', { ...account, suite: undefined, address: 1 }, ['/suite']],
    ['a control in a kid', { ...ed25519, kid: 'a\u0000' }, ['/kid']],
    ['a direction mark in a kid', { ...ed25519, kid: 'a\u202e' }, ['/kid']],
    ['a revocation reason alone', { ...account, revocationReason: 'compromised' }, ['/revocationReason']],
    [
      'faults between members beside faults of members',
      { ...account, roles: [], validUntil: '2025-01-01T00:00:00.0Z' },
      ['/roles', '/validUntil'],
    ],
    ['no coordinate at all', { ...ed25519, publicKey: { ...ed25519.publicKey, x: '' } }, ['/publicKey/x']],
    [
      'a coordinate that is too long',
      { ...ed25519, publicKey: { ...ed25519.publicKey, x: 'A'.repeat(86) } },
      ['/publicKey/x'],
    ],
    [
      'coordinates in base64 with padding',
      { ...ed25519, publicKey: { ...ed25519.publicKey, x: `${ed25519.publicKey.x}=` } },
      ['/publicKey/x'],
    ],
  ])('error: %s', (_, key, faults) => {
    expect(faultsOf(key)).toEqual(faults);
  });

  it('takes keys of 200 code points in their kid', () => {
    expect(faultsOf({ ...ed25519, kid: '🔑'.repeat(200) })).toEqual([]);
    expect(faultsOf({ ...ed25519, kid: '🔑'.repeat(201) })).toEqual(['/kid']);
  });

  it('compares public keys by their members, not by their order', () => {
    const { kty, crv, x } = ed25519.publicKey;
    const twin = { ...ed25519, kid: 'twin', publicKey: { x, crv, kty } };
    expect(problemsOf(registryWith([ed25519, twin]))).toEqual(['/parties/0/keys/1/publicKey']);
  });

  it('names what is equal to an earlier one, every time', () => {
    expect(problemsOf(registryWith([account, account, account]))).toEqual([
      '/parties/0/keys/1/address',
      '/parties/0/keys/1/kid',
      '/parties/0/keys/2/address',
      '/parties/0/keys/2/kid',
    ]);
  });

  it('says how many faults there are where it is logged', () => {
    expect(() => load(registryWith([{ ...account, roles: [] }]))).toThrow(TrustRegistryError);
    try {
      load(registryWith([{ ...account, roles: [] }]));
    } catch (error) {
      expect(error).toMatchObject({ code: 'trust_registry_invalid', kind: 'terminal', context: { problems: 1 } });
    }
  });
});
