import { RAILS, TerminalError, TRIGGERS } from '@v402/domain';
import fc from 'fast-check';
import { acceptanceMessage } from '../acceptance-message.js';
import { canonicalBytes, identifyContract } from '../canonical.js';
import { checkRules } from '../rules.js';
import { checkTranscript } from '../transcript.js';
import { readEnvelope } from '../verify-contract.js';
import { buildContract, type ContractDraft } from './contract.builder.js';
import { buildTranscript } from './transcript.builder.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

function faultOf(draft: ContractDraft): unknown {
  try {
    buildContract(draft);
  } catch (error) {
    return error instanceof TerminalError ? { ...error.context, code: error.code } : error;
  }
  return undefined;
}

const decimals = (max: number, scale: number): fc.Arbitrary<string> =>
  fc.integer({ min: 1, max }).map((units) => (units / 10 ** scale).toFixed(scale));

const drafts: fc.Arbitrary<ContractDraft> = fc.record({
  negotiationId: fc.uuid(),
  currency: fc.constantFrom('EUR', 'JPY', 'BHD', 'CLF'),
  lines: fc.array(
    fc.record({
      sku: fc.constantFrom('A', 'B'),
      quantity: decimals(1e6, 3),
      unitPrice: decimals(1e8, 4),
      priceBasis: fc.constantFrom('1', '7', '1000'),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  // The freight keeps the total so large that neither leg is ever rounded to nothing.
  charges: fc
    .array(fc.record({ type: fc.constantFrom('freight', 'tax', 'other'), amount: decimals(1000, 0) }), { maxLength: 3 })
    .map((charges) => [{ type: 'freight', amount: '1000' }, ...charges]),
  payment: fc
    .tuple(
      fc.constantFrom(...RAILS.filter((rail) => rail !== 'x402')),
      fc.constantFrom(...TRIGGERS),
      fc.integer({ min: 1, max: 99 }),
    )
    .map(([rail, trigger, percent]) => [
      {
        rail: 'x402',
        trigger: 'agreed',
        percent: String(percent),
        x402: { network: 'eip155:8453', asset: '0xa', payTo: '0xb' },
      },
      { rail, trigger, days: percent },
    ]),
  transcript: fc
    .integer({ min: 0, max: 7 })
    .map((rounds) => buildTranscript({ rounds, agreedAt: '2026-11-21T10:15:30.12Z' })),
});

describe('building a contract', () => {
  it('makes the same contract of the same draft', () => {
    expect(identifyContract(buildContract()).contractId).toBe(identifyContract(buildContract({})).contractId);
    expect(identifyContract(buildContract()).contractId).not.toBe(
      identifyContract(buildContract({ negotiationId: 'neg-2' })).contractId,
    );
  });

  it('lets one delivery carry the rest, and one leg pay the rest', () => {
    const { terms } = buildContract({
      lines: [
        { sku: 'A', quantity: '3.5', unitPrice: '10' },
        { sku: 'B', quantity: '1', unitPrice: '0.99' },
      ],
      delivery: {
        schedule: [
          {
            notBefore: '2026-12-01',
            notAfter: '2026-12-01',
            items: [
              { line: '1', quantity: '1.25' },
              { line: '2', quantity: '1' },
            ],
          },
          { notBefore: '2026-12-02', notAfter: '2026-12-03' },
        ],
      },
      payment: [
        { rail: 'card', trigger: 'agreed', percent: '33.33' },
        { rail: 'sepa', trigger: 'shipped' },
        { rail: 'escrow', trigger: 'ordered', amount: '0.01' },
      ],
    });
    expect(terms.total).toBe('35.99');
    expect(terms.delivery.schedule[1]?.items).toEqual([{ line: '1', quantity: '2.25' }]);
    expect(terms.payment.schedule.map(({ amount }) => amount)).toEqual(['12.00', '23.98', '0.01']);
  });

  it('has no leg where nothing is to be paid', () => {
    const { terms } = buildContract({ lines: [{ sku: 'GIFT', quantity: '1', unitPrice: '0' }] });
    expect([terms.total, terms.payment.schedule]).toEqual(['0.00', []]);
  });

  it.each<[string, ContractDraft, object]>([
    [
      'two legs that take the rest',
      {
        payment: [
          { rail: 'sepa', trigger: 'agreed' },
          { rail: 'sepa', trigger: 'agreed' },
        ],
      },
      {},
    ],
    [
      'legs that are not the total',
      { payment: [{ rail: 'sepa', trigger: 'agreed', amount: '1' }] },
      { where: '/contract/terms/payment/schedule' },
    ],
    [
      'one party on both sides',
      { parties: { buyer: { id: 'did:web:seller.example' } } },
      { where: '/contract/parties/seller/id' },
    ],
    ['an unknown currency', { currency: 'XAU' }, {}],
    ['a price basis of zero', { lines: [{ sku: 'A', quantity: '1', unitPrice: '1', priceBasis: '0' }] }, {}],
    ['an empty negotiation', { transcript: [] }, {}],
    [
      'eight rounds',
      { transcript: buildTranscript({ rounds: 8, agreedAt: '2026-11-21T10:15:30Z' }) },
      { refusal: 'rounds_exceeded' },
    ],
  ])('error: %s', (_, draft, fault) => {
    expect(faultOf(draft)).toMatchObject({ code: 'draft_invalid', ...fault });
  });
});

describe('the message that an EIP-712 signer sees', () => {
  it('names the parties by id and the expiry in whole seconds, rounded down', () => {
    const contract = buildContract({ expiresAt: '2026-11-22T10:15:30.999Z' });
    expect(acceptanceMessage(contract, 'ab'.repeat(32), 'seller')).toEqual({
      contractId: `0x${'ab'.repeat(32)}`,
      role: 'seller',
      negotiationId: 'neg-1',
      buyer: 'did:web:buyer.example',
      seller: 'did:web:seller.example',
      total: '617.00',
      currency: 'EUR',
      expiresAt: 1_795_342_530n,
    });
  });
});

describe(`any draft (PROPERTY_SEED=${seed})`, () => {
  it('becomes a contract that is read, identified and keeps every rule', () => {
    fc.assert(
      fc.property(drafts, (draft) => {
        const contract = buildContract(draft);
        const envelope = { contract, signatures: [], transcript: draft.transcript };
        const read = readEnvelope(canonicalBytes(envelope));
        expect(read).toEqual({ ok: true, identified: { envelope, ...identifyContract(contract) } });
        expect(
          checkRules(contract, { arrival: contract.agreedAt, handlerId: null, servedParties: null }),
        ).toBeUndefined();
        expect(checkTranscript(contract, draft.transcript, { required: true })).toBeUndefined();
      }),
      { seed },
    );
  });
});
