import type { SettlementContract } from '@v402/domain';

/** The contract that the examples of the documentation are made from. */
export const SAMPLE_CONTRACT = {
  spec: 'v402-settlement/1',
  negotiationId: 'neg-2026-000417',
  parties: {
    buyer: { id: 'did:web:buyer.example', name: 'Buyer GmbH' },
    seller: { id: 'did:web:seller.example', name: 'Seller SA' },
  },
  terms: {
    currency: 'EUR',
    lines: [
      {
        id: '1',
        sku: 'BOLT-M8',
        description: 'Bolt M8',
        quantity: '5000',
        unit: 'C62',
        unitPrice: '12.34',
        priceBasis: '100',
        amount: '617.00',
      },
    ],
    charges: [{ id: 'c1', type: 'freight', amount: '35.00' }],
    total: '652.00',
    delivery: {
      incoterm: 'DAP',
      place: 'Hamburg',
      shipTo: {
        name: 'Buyer GmbH, Werk 2',
        street: 'Hafenstrasse 1',
        city: 'Hamburg',
        postalCode: '20457',
        country: 'DE',
      },
      schedule: [
        { id: 'd1', notBefore: '2026-12-01', notAfter: '2026-12-05', items: [{ line: '1', quantity: '3000' }] },
        { id: 'd2', notBefore: '2027-01-11', notAfter: '2027-01-15', items: [{ line: '1', quantity: '2000' }] },
      ],
    },
    payment: {
      schedule: [
        {
          id: 'p1',
          amount: '52.00',
          rail: 'x402',
          trigger: 'agreed',
          days: 0,
          x402: {
            network: 'eip155:8453',
            asset: '0x60a3e35cc302bfa44cb288bc5a4f316fdb1adb42',
            payTo: '0x209693bc6afc0c5328ba36faf03c514ef312287c',
          },
        },
        { id: 'p2', amount: '200.00', rail: 'sepa', trigger: 'ordered', days: 14 },
        { id: 'p3', amount: '400.00', rail: 'invoice', trigger: 'ordered', days: 30 },
      ],
    },
    dispute: { windowDays: 14, method: 'arbitration', venue: 'DIS Hamburg' },
  },
  negotiation: {
    strategies: { buyer: 'bounded', seller: 'adaptive' },
    rounds: 3,
    messageCount: 9,
    transcriptHash: '4c8f1d7e0a3b52966f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978',
  },
  agreedAt: '2026-11-21T10:15:30.120Z',
  expiresAt: '2026-11-22T10:15:30.120Z',
  extensions: { 'com.example.costCentre': '4711' },
} as const satisfies SettlementContract;

export const SAMPLE_CONTRACT_ID = '980c9ca40f0560d03abd83d207532f1a548a80ba167c70f489f61a5fff3d2502';
export const SAMPLE_SHORT_REF = 'K069S90F0NGD0ENXGF90EMSF39';

/** An amendment of the sample: agreed five minutes later, otherwise the same terms. */
export const SAMPLE_AMENDMENT = {
  ...SAMPLE_CONTRACT,
  supersedes: SAMPLE_CONTRACT_ID,
  agreedAt: '2026-11-21T10:20:30.120Z',
} as const satisfies SettlementContract;

export const SAMPLE_AMENDMENT_ID = '00a2800927455cf5cc74eefb0d973224aa5a66e6bec269860dc5bd1c8c91ccf9';

/** A second contract that both signed for the same negotiation without saying that it replaces the first. */
export const SAMPLE_CONFLICT = {
  ...SAMPLE_CONTRACT,
  expiresAt: '2026-11-23T10:15:30.120Z',
} as const satisfies SettlementContract;

export const SAMPLE_CONFLICT_ID = '17fefe18a590b6631ce381f55fd550f76223991fd62707eaf8e651bf022a51aa';
export const SAMPLE_CONFLICT_SHORT_REF = '2ZZFW655J2V66773G7TNZNAGYX';
