import { buildContract, type SettlementEnvelope } from '@v402/contract';
import type { SigningKey } from '@v402/signatures';
import { addSignature, readForSigning } from './add-signature.js';

const contract = buildContract({ agreedAt: '2026-11-21T10:15:30.120Z' });
const bytesOf = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document), 'utf8');
const keyNamed = (kid: string): SigningKey => ({ suite: 'jws', kid, sign: () => `${kid}'s` });
const signature = (role: 'buyer' | 'seller', kid: string) => ({ role, suite: 'jws', kid, signature: 'x' }) as const;

describe('readForSigning', () => {
  test('a bare contract becomes an envelope without signatures', async () => {
    expect(await readForSigning(bytesOf(contract))).toMatchObject({
      ok: true,
      identified: { envelope: { contract, signatures: [] } },
    });
  });

  test('an envelope keeps the signatures that it has, unjudged', async () => {
    const envelope = { contract, signatures: [signature('buyer', 'b')] };
    expect(await readForSigning(bytesOf(envelope))).toMatchObject({ ok: true, identified: { envelope } });
  });

  test('for whom and when it is meant does not keep it from being signed', async () => {
    const forLater = buildContract({ agreedAt: '9998-01-01T00:00:00Z', audience: 'handler-1' });
    expect(await readForSigning(bytesOf(forLater))).toMatchObject({ ok: true });
  });

  const { terms, parties } = contract;
  test.each([
    ['malformed_json', Buffer.from('[')],
    ['schema_invalid', bytesOf([])],
    ['schema_invalid', bytesOf(null)],
    ['schema_invalid', bytesOf({ ...contract, note: 'unknown member' })],
    ['unsupported_spec', bytesOf({ ...contract, spec: 'v402-settlement/2' })],
    ['arithmetic_mismatch', bytesOf({ ...contract, terms: { ...terms, total: '1.00' } })],
    ['same_party', bytesOf({ ...contract, parties: { buyer: parties.seller, seller: parties.seller } })],
    ['rounds_exceeded', bytesOf({ ...contract, negotiation: { ...contract.negotiation, rounds: 8 } })],
    ['transcript_mismatch', bytesOf({ contract, signatures: [], transcript: [] })],
  ])('what every handler would refuse with %s is not for signing', async (code, bytes) => {
    expect(await readForSigning(bytes)).toMatchObject({ ok: false, refusal: { code } });
  });
});

describe('addSignature', () => {
  const envelope: SettlementEnvelope = { contract, signatures: [signature('seller', 's'), signature('buyer', 'old')] };

  test('takes the place of the same party’s, and leaves the other’s', () => {
    expect(addSignature(envelope, 'buyer', keyNamed('new')).signatures).toEqual([
      { role: 'buyer', suite: 'jws', kid: 'new', signature: "new's" },
      signature('seller', 's'),
    ]);
  });

  test('is added where there was none', () => {
    const { signatures } = addSignature({ contract, signatures: [signature('buyer', 'b')] }, 'seller', keyNamed('s'));
    expect(signatures.map(({ role, kid }) => [role, kid])).toEqual([
      ['buyer', 'b'],
      ['seller', 's'],
    ]);
  });
});
