import { readEnvelope, sha256Hex, verifyContract } from '@v402/contract';
import { RAILS, REFUSAL_CODES, TRIGGERS, type SettlementContract } from '@v402/domain';
import { loadTrustRegistry, TrustedSignatureVerifier } from '@v402/signatures';
import type { SimulatedMessage } from './messages.js';
import { simulateTrade, type SimulatedTrade } from './simulate-trade.js';

const NOW = '2026-11-22T10:15:30.120Z';
const trade = simulateTrade({ seed: 402, count: 1_000, now: NOW });
const messages = trade.waves.flat();
const verifier = new TrustedSignatureVerifier(loadTrustRegistry(Buffer.from(trade.trustRegistry)));

function contractOf({ value }: SimulatedMessage): SettlementContract {
  const read = readEnvelope(value!);
  if (!read.ok) throw new Error(read.refusal.code);
  return read.identified.envelope.contract;
}

/** What a handler without any memory says of a message: the first refusal code, or that it has none. */
async function judge({ value }: SimulatedMessage): Promise<string> {
  const read = readEnvelope(value ?? new Uint8Array());
  if (!read.ok) return read.refusal.code;
  const { handlerId, parties: servedParties } = trade.handling;
  const context = { arrival: NOW, handlerId, servedParties, requireTranscript: false };
  const verified = await verifyContract(read.identified, context, verifier);
  if (!verified.ok) return verified.refusal.code;
  const { contract } = read.identified.envelope;
  if (contract.supersedes === '0'.repeat(64)) return 'superseded_unknown';
  return Date.parse(contract.expiresAt) < Date.parse(NOW) ? 'expired' : 'good';
}

function ofKind<K extends SimulatedMessage['outcome']['kind']>(
  kind: K,
): (SimulatedMessage & { outcome: Extract<SimulatedMessage['outcome'], { kind: K }> })[] {
  return messages.filter(
    (message): message is SimulatedMessage & { outcome: Extract<SimulatedMessage['outcome'], { kind: K }> } =>
      message.outcome.kind === kind,
  );
}

const accepted = ofKind('accepted');
const acceptedById = new Map(accepted.map((message) => [message.outcome.contractId, message]));

describe('the messages', () => {
  test('every accepted contract is valid and signed by both parties with registered keys', async () => {
    expect(accepted.length).toBeGreaterThan(700);
    expect(new Set(await Promise.all(accepted.map((message) => judge(message))))).toEqual(new Set(['good']));
  });

  test('every refused message has the fault that it is to be refused for', async () => {
    const rejected = ofKind('rejected');
    const found = await Promise.all(rejected.map((message) => judge(message)));
    expect(found).toEqual(rejected.map(({ outcome }) => outcome.code));
  });

  test('every refusal code of the contract format occurs, but for the one that quarantines', () => {
    const codes = new Set(ofKind('rejected').map(({ outcome }) => outcome.code));
    expect([...codes].sort()).toEqual(REFUSAL_CODES.filter((code) => code !== 'negotiation_conflict').sort());
  });

  test('a refused message is announced once per content and code', () => {
    const announced = ofKind('rejected').flatMap(({ events }) => events.map(({ about }) => about));
    const contents = ofKind('rejected').map(({ outcome, value }) => {
      expect(outcome.rawDigest).toBe(sha256Hex(value ?? new Uint8Array()));
      return `${outcome.rawDigest}:${outcome.code}`;
    });
    expect([...announced].sort()).toEqual([...new Set(contents)].sort());
  });

  test('a redelivery repeats an accepted contract, in other bytes too, after it and on its partition', () => {
    const redelivered = ofKind('duplicate');
    const first = trade.waves[0]!;
    for (const message of redelivered) {
      const base = acceptedById.get(message.outcome.contractId)!;
      expect(first.indexOf(base)).toBeLessThan(first.indexOf(message));
      expect(message.key).toBe(base.key);
      const read = readEnvelope(message.value!);
      expect(read.ok && read.identified.contractId).toBe(message.outcome.contractId);
    }
    const contents = new Set(accepted.map(({ value }) => sha256Hex(value!)));
    const same = redelivered.filter(({ value }) => contents.has(sha256Hex(value!)));
    expect(same.length).toBeGreaterThan(0);
    expect(redelivered.length - same.length).toBeGreaterThan(same.length);
  });

  test('an equivocation is validly signed, for the negotiation and parties of another contract', async () => {
    const rivals = ofKind('quarantined');
    const judged = await Promise.all(rivals.map((message) => judge(message)));
    expect(new Set(judged)).toEqual(new Set(['good', 'expired']));
    for (const rival of rivals) {
      const base = acceptedById.get(rival.outcome.conflictsWith)!;
      const [one, other] = [contractOf(base), contractOf(rival)];
      expect([other.negotiationId, other.parties]).toEqual([one.negotiationId, one.parties]);
      expect(rival.outcome.contractId).not.toBe(base.outcome.contractId);
    }
  });

  test('only one that has not expired holds its deal up, and waits for a wave of its own', async () => {
    for (const rival of ofKind('quarantined').filter(({ events }) => events.length > 0)) {
      const isFresh = (await judge(rival)) === 'good';
      expect(trade.waves[1]!.includes(rival)).toBe(isFresh);
      expect(rival.events.map(({ type }) => type).includes('org.v402.hold.placed.v1')).toBe(isFresh);
    }
  });

  test('an amendment names an accepted contract of the first wave', () => {
    const amendments = trade.waves[1]!.filter(({ outcome }) => outcome.kind === 'accepted');
    expect(amendments).toHaveLength(10);
    expect(amendments.every((message) => acceptedById.has(contractOf(message).supersedes!))).toBe(true);
  });
});

describe('the variety of a demonstration of 200', () => {
  const small = simulateTrade({ seed: 1, count: 200, now: NOW }).waves.flat();
  const contracts = small.filter(({ outcome }) => outcome.kind === 'accepted').map(contractOf);
  const legs = contracts.flatMap(({ terms }) => terms.payment.schedule);
  const envelopes = small.flatMap(({ outcome, value }) =>
    outcome.kind === 'accepted'
      ? [
          JSON.parse(Buffer.from(value!).toString('utf8')) as {
            signatures: { suite: string; kid: string }[];
            transcript?: unknown;
          },
        ]
      : [],
  );

  test('it has exactly as many messages as it was asked for', () => {
    expect(small).toHaveLength(200);
  });

  test('every rail, trigger, and currencies with 0, 2 and 3 digits', () => {
    expect(new Set(legs.map(({ rail }) => rail))).toEqual(new Set(RAILS));
    expect(new Set(legs.map(({ trigger }) => trigger))).toEqual(new Set(TRIGGERS));
    expect(new Set(contracts.map(({ terms }) => terms.currency))).toEqual(
      new Set(['EUR', 'USD', 'CHF', 'JPY', 'BHD', 'GBP', 'NOK']),
    );
  });

  test('every combination of keys, with and without transcripts', () => {
    const keyKind = ({ suite, kid }: { suite: string; kid: string }): string =>
      suite === 'jws' ? kid.split('#')[1]! : suite;
    expect(new Set(envelopes.map(({ signatures }) => signatures.map(keyKind).join())).size).toBe(9);
    expect(new Set(envelopes.map(({ transcript }) => transcript === undefined)).size).toBe(2);
  });

  test('orders for the buyer, for the seller, and for both', () => {
    const sides = small.flatMap(({ outcome }) =>
      outcome.kind === 'accepted' && outcome.orders.length > 0 ? [outcome.orders.map(({ side }) => side).join()] : [],
    );
    expect(new Set(sides)).toEqual(new Set(['buyer', 'seller', 'buyer,seller']));
  });

  test('services and goods, several lines, charges of every kind, several deliveries and legs', () => {
    expect(new Set(contracts.map(({ terms }) => terms.delivery.shipTo === undefined)).size).toBe(2);
    expect(new Set(contracts.map(({ terms }) => terms.lines.length))).toEqual(new Set([1, 2, 3, 4]));
    expect(new Set(contracts.map(({ terms }) => terms.delivery.schedule.length))).toEqual(new Set([1, 2, 3]));
    expect(new Set(contracts.map(({ terms }) => terms.payment.schedule.length))).toEqual(new Set([1, 2, 3]));
    const charges = contracts.flatMap(({ terms }) => terms.charges ?? []);
    expect(new Set(charges.map(({ type }) => type))).toEqual(new Set(['freight', 'tax', 'discount']));
  });
});

describe('determinism', () => {
  /** ES256 signs with a random number, so what depends on the texts of these signatures is left out. */
  const fingerprint = ({ waves, ...files }: SimulatedTrade): unknown => ({
    ...files,
    waves: waves.map((wave) =>
      wave.map(({ key, outcome, events }) => ({
        key,
        outcome: { ...outcome, rawDigest: undefined },
        events: events.map(({ type, side }) => ({ type, side })),
      })),
    ),
  });

  test('the same seed, count and moment give the same trade', () => {
    const again = simulateTrade({ seed: 402, count: 1_000, now: NOW });
    expect(fingerprint(again)).toEqual(fingerprint(trade));
  });

  test('another seed gives other contracts and other keys', () => {
    const other = simulateTrade({ seed: 403, count: 10, now: NOW });
    expect(other.trustRegistry).not.toBe(trade.trustRegistry);
    expect(other.waves[0]![0]!.value).not.toEqual(trade.waves[0]![0]!.value);
  });

  test('good contracts alone, if asked for', () => {
    const good = simulateTrade({ seed: 7, count: 50, now: NOW, onlyGood: true });
    expect(good.waves.map((wave) => wave.length)).toEqual([50]);
    expect(new Set(good.waves.flat().map(({ outcome }) => outcome.kind))).toEqual(new Set(['accepted']));
  });
});
