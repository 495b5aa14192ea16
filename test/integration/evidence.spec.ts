import { readFileSync } from 'node:fs';
import { seal, verifyEvidence, type EvidenceFile, type EvidenceVerdict } from '@v402/application';
import { EmbeddedOrderSystem } from '@v402/order-systems';
import { loadTrustRegistry } from '@v402/signatures';
import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice } from '../support/back-office.js';
import { collectEvidence, leavesOf, replaced, verifyTools, type Json } from '../support/evidence.js';
import { agreed, type AgreedTrade, variant } from '../support/intake-scene.js';
import { sha256 } from '../support/records.js';
import { SIGNERS, testKey, TRUST_REGISTRY } from '../support/trade.js';

/** Real: PostgreSQL, intake, signatures, orders in the embedded order book, the workflows. */
let office: BackOffice;
let book: EmbeddedOrderSystem;
const registry = loadTrustRegistry(readFileSync(TRUST_REGISTRY));
const files: Record<string, EvidenceFile> = {};

const terms = {
  payment: [
    { rail: 'card', trigger: 'agreed', amount: '100.00' },
    { rail: 'invoice', trigger: 'ordered', days: 30, amount: '100.00' },
    { rail: 'sepa', trigger: 'agreed', amount: '100.00' },
    { rail: 'card', trigger: 'delivered', days: 14 },
  ],
} as const;

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

async function work(): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await office.makeDue();
    await office.orders(book).handle();
    await office.workflows().handle();
  }
  await office.sql('DELETE FROM v402.outbox');
}

async function collect(id: string, withBook = true): Promise<EvidenceFile> {
  return (await collectEvidence(office.database.appUrl, id, withBook ? book : undefined))!;
}

const verify = (file: Json | EvidenceFile, withRegistry = false): Promise<EvidenceVerdict> =>
  verifyText(JSON.stringify(file), withRegistry);

async function verifyText(text: string, withRegistry = false): Promise<EvidenceVerdict> {
  return (await verifyEvidence(Buffer.from(text), verifyTools(withRegistry ? registry : undefined)))!;
}

/** The same file after its members were changed, with a seal that fits again. */
const sealedAgain = (document: Json): EvidenceFile => seal(JSON.parse(JSON.stringify(document)) as EvidenceFile);

const failedIn = ({ checks }: EvidenceVerdict): string[] =>
  checks.filter(({ outcome }) => outcome === 'failed').map(({ code }) => code);
const notChecked = ({ checks }: EvidenceVerdict): string[] =>
  checks.filter(({ outcome }) => outcome === 'not_checked').map(({ code }) => code);

let plain: AgreedTrade;
let base: AgreedTrade;
let amendment: AgreedTrade;
let conflict: AgreedTrade;

beforeAll(async () => {
  office = await BackOffice.open();
  book = new EmbeddedOrderSystem({ url: office.database.orderbookUrl });
  const agreedAt = daysAgo(3);
  [plain, base] = (await office.acceptAll([
    { negotiationId: 'plain', agreedAt, ...terms },
    { negotiationId: 'amended', agreedAt },
  ])) as [AgreedTrade, AgreedTrade];
  amendment = agreed({ negotiationId: 'amended', agreedAt, supersedes: base.contractId });
  conflict = variant('conflict', { negotiationId: 'plain', agreedAt, ...terms });
  const arrival = { at: agreedAt, source: 'broker' } as const;
  await office.scene.handler.handle([office.scene.message(amendment.envelope, { arrival })]);
  await work();
  await office.scene.handler.handle([office.scene.message(conflict.envelope, { arrival })]);
  await office.sql('DELETE FROM v402.outbox');
  files['whole'] = await collect(plain.contractId);
  files['superseded'] = await collect(base.contractId);
  files['amendment'] = await collect(amendment.contractId);
  files['quarantined'] = await collect(conflict.contractId);
});

afterAll(async () => {
  await book.close();
  await office.close();
});

describe('a contract that was settled', () => {
  test('default: everything is proven, by the file alone', async () => {
    const verdict = await verify(files['whole']!);
    expect(failedIn(verdict).map((code) => verdict.checks.find((check) => check.code === code))).toEqual([]);
    expect(verdict).toMatchObject({ outcome: 'verified', subject: { contractId: plain.contractId } });
    expect(notChecked(verdict)).toEqual(['registry', 'refusals', 'audit']);
  });

  test('behavior: with the trust registry, its digest and its keys are compared too', async () => {
    expect(notChecked(await verify(files['whole']!, true))).toEqual(['refusals', 'audit']);
  });

  test('behavior: it is found by its shortRef, in small letters too, and by its message', async () => {
    for (const id of [plain.shortRef, plain.shortRef.toLowerCase(), sha256(plain.envelope)]) {
      expect((await collect(id, false)).subject).toEqual({ kind: 'contract', contractId: plain.contractId });
    }
  });

  test('behavior: without the order system its check is left out, and said to be', async () => {
    expect(notChecked(await verify(await collect(plain.contractId, false)))).toContain('order_system');
  });

  test('error: an order system that does not answer, and does not heed its signal, holds nothing up', async () => {
    const silent = new ScriptedOrderSystem();
    silent.script.readBack = () => new Promise(() => undefined);
    await expect(collectEvidence(office.database.appUrl, plain.contractId, silent, 20)).rejects.toMatchObject({
      code: 'deadline_exceeded',
    });
  });

  test('behavior: a name that nobody knows has no evidence', async () => {
    expect(await collectEvidence(office.database.appUrl, 'f'.repeat(64))).toBeUndefined();
    expect(await collectEvidence(office.database.appUrl, 'nobody')).toBeUndefined();
  });
});

test.each(['superseded', 'amendment', 'quarantined'])('a contract that was %s is proven too', async (name) => {
  const verdict = await verify(files[name]!);
  expect(verdict.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
});

describe('a refused message', () => {
  const refused: [string, () => Uint8Array, string[], string[]][] = [
    ['malformed_json', () => Buffer.from('no json'), [], []],
    ['schema_invalid', () => Buffer.from('{"contract":{"spec":"v402-settlement/1"},"signatures":[]}'), [], []],
    ['expired', () => agreed({ negotiationId: 'late', agreedAt: '2026-10-01T00:00:00Z' }).envelope, [], []],
    [
      'unknown_key',
      () => agreed({ negotiationId: 'strange' }, { ...SIGNERS, buyer: testKey('unregistered-eip712') }).envelope,
      ['refusals'],
      [],
    ],
    [
      'superseded_unknown',
      () => agreed({ negotiationId: 'orphan', supersedes: 'a'.repeat(64) }).envelope,
      ['refusals'],
      ['refusals'],
    ],
    ['too_large', () => Buffer.alloc(1_000_001, 0x20), ['message_bytes', 'refusals'], ['message_bytes', 'refusals']],
  ];

  test.each(refused)('%s is proven as far as it can be', async (code, value, withoutRegistry, withRegistry) => {
    const bytes = value();
    await office.scene.handle(bytes);
    const file = await collect(sha256(bytes));
    expect(file.rejections.map((rejection) => rejection.code)).toEqual([code]);
    const optional = ['message_bytes', 'refusals'];
    const alone = await verify(file);
    expect(alone.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(notChecked(alone).filter((each) => optional.includes(each))).toEqual(withoutRegistry);
    const compared = await verify(file, true);
    expect(failedIn(compared)).toEqual([]);
    expect(notChecked(compared).filter((each) => optional.includes(each))).toEqual(withRegistry);
  });

  test('error: a refusal under another code than the message deserves', async () => {
    const file = await collect(sha256('no json'));
    const forged = JSON.stringify(file).replaceAll('malformed_json', 'duplicate_key');
    expect(failedIn(await verify(sealedAgain(JSON.parse(forged) as Json)))).toContain('refusals');
  });
});

describe('tampering', () => {
  /** Something else of the same form, so that no check of forms is what finds it. */
  function other(leaf: Json, where: string): Json {
    if (typeof leaf === 'number') return leaf + 1;
    if (typeof leaf === 'boolean') return !leaf;
    if (leaf === null) return /At$/.test(where) ? '2026-01-01T00:00:00.000000Z' : 'a'.repeat(64);
    if (typeof leaf !== 'string') return [];
    const states: Record<string, string> = { requested: 'waiting', created: 'waiting', superseded: 'waiting' };
    if (/\/state$/.test(where)) return states[leaf] ?? 'accepted';
    if (/^\d{4}-/.test(leaf)) return leaf.replace(/^\d/, '1');
    const last = /[0-9a-z](?=[^0-9a-z]*$)/i.exec(leaf)!;
    const digit = /\d/.test(last[0]) ? String((Number(last[0]) + 1) % 10) : last[0] === 'a' ? 'b' : 'a';
    return leaf.slice(0, last.index) + digit + leaf.slice(last.index + 1);
  }

  const names = ['whole', 'superseded', 'amendment', 'quarantined'] as const;
  const documentOf = (name: (typeof names)[number]) =>
    JSON.parse(JSON.stringify(files[name])) as { readonly [member: string]: Json };

  test.each(names)('property: %s: whatever one member is changed to, the file does not verify', async (name) => {
    const document = documentOf(name);
    for (const [where, leaf] of leavesOf(document)) {
      if (Array.isArray(leaf) || (typeof leaf === 'object' && leaf !== null)) continue;
      const tampered = replaced(document, where, other(leaf, where));
      expect({ where, ...(await verify(tampered)) }).toMatchObject({ where, outcome: 'failed' });
    }
  });

  test('property: a member more, or one less, and the file does not verify', async () => {
    const document = documentOf('whole');
    const { format, ...others } = document;
    for (const name of Object.keys(others)) {
      const rest = Object.entries(others).filter(([each]) => each !== name);
      expect((await verify({ format: format!, ...Object.fromEntries(rest) })).outcome).toBe('failed');
    }
    // What does not name the format does not even mean to be evidence.
    expect(await verifyEvidence(Buffer.from(JSON.stringify(others)), verifyTools())).toBeUndefined();
    expect((await verify({ ...document, note: 'more' })).outcome).toBe('failed');
    const twice = JSON.stringify(document).replace('{', '{"format":"v402-evidence/1",');
    expect(await verifyText(twice)).toMatchObject({
      outcome: 'failed',
      checks: [{ code: 'format', faults: [{ where: '/format', what: 'cannot be read: duplicate_key' }] }],
    });
  });

  /**
   * Members that remain claims of whoever made the file, should he seal it again: nothing that the parties signed and
   * nothing that was announced depends on them. docs/evidence.md lists them under "Claims".
   */
  const CLAIMS: readonly RegExp[] = [
    /^\/(collectedAt|codeVersion)$/,
    /^\/messages\/\d+\/storedAt$/,
    /^\/decisions\/\d+\/(decidedAt|codeVersion)$/,
    /^\/rejections\/\d+\/(occurrences|rejectedAt)$/,
    /^\/settlement\/duplicates$/,
    /^\/holds\/\d+\/(placedAt|placedBy|releasedAt|releasedBy)$/,
    /^\/quarantine\/\d+\/(id|occurrences|quarantinedAt)$/,
    /^\/events\/\d+\/published$/,
    /^\/orderSystem\/askedAt$/,
  ];

  /** What a file about another contract, or about what has not started, adds to them. */
  const CLAIMS_OF: Readonly<Record<string, readonly RegExp[]>> = {
    // Why a payment is blocked was announced to nobody.
    whole: [/^\/legs\/\d+\/code$/],
    // Nothing of it was announced, so how often it was attempted, and what became of that, is the handler's word.
    superseded: [/^\/orders\/\d+\/(attempt|code)$/, /^\/(legs|deliveries)\/\d+\/code$/, /^\/chain\/1\/acceptedAt$/],
    amendment: [/^\/chain\/0\/acceptedAt$/],
    // With --registry this one is compared.
    quarantined: [/^\/decisions\/0\/registryDigest$/, /^\/chain\/0\/acceptedAt$/],
  };

  test.each(names)('property: %s: sealed again, every change but to a claim is found', async (name) => {
    const document = documentOf(name);
    const missed: string[] = [];
    for (const [where, leaf] of leavesOf(document)) {
      if (where === '/sealed' || [...CLAIMS, ...CLAIMS_OF[name]!].some((claim) => claim.test(where))) continue;
      if (Array.isArray(leaf) || (typeof leaf === 'object' && leaf !== null)) continue;
      const tampered = replaced(document, where, other(leaf, where));
      if ((await verify(sealedAgain(tampered))).outcome !== 'failed') missed.push(`${where}: ${JSON.stringify(leaf)}`);
    }
    expect(missed).toEqual([]);
  });

  test('property: sealed again, no row can be left out', async () => {
    const file = files['whole']!;
    const lists = ['messages', 'decisions', 'chain', 'orders', 'legs', 'deliveries', 'holds', 'quarantine'] as const;
    for (const list of lists) {
      for (let place = 0; place < file[list].length; place += 1) {
        const without = { ...file, [list]: file[list].filter((_, index) => index !== place) };
        expect({ list, place, ...(await verify(seal(without))) }).toMatchObject({ list, place, outcome: 'failed' });
      }
    }
  });
});
