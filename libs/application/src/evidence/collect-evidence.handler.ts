import { readEnvelope } from '@v402/contract';
import { instantOfMicros } from '@v402/domain';
import { answerOf } from '../orders/answer-of.js';
import type { EvidenceArchive } from '../ports/evidence-archive.js';
import { orderKindOf, type OrderSystem } from '../ports/order-system.js';
import { eventOf } from './checks/evidence-check.js';
import { EVIDENCE_FORMAT, seal, type EvidenceFacts, type EvidenceFile } from './evidence-file.js';

/** Puts the whole proof of one contract, or of one refused message, into one file. */
export class CollectEvidenceHandler {
  constructor(
    private readonly archive: EvidenceArchive,
    private readonly codeVersion: string,
    /** Asked for its own copy of the orders; undefined: it is left out of the file. */
    private readonly orderSystem?: OrderSystem,
    /** How long it may take for one answer. */
    private readonly askTimeoutMs = 10_000,
  ) {}

  /**
   * @param id a contractId, the shortRef of an accepted contract, or the digest of a message
   * @returns undefined where nothing of that name was ever decided
   * @throws RetryableError when the database or the order system cannot be asked
   */
  async handle(id: string): Promise<EvidenceFile | undefined> {
    const found = await this.archive.read(id);
    if (found === undefined) return undefined;
    const facts = { ...found, events: eventsAbout(found) };
    return seal({
      format: EVIDENCE_FORMAT,
      codeVersion: this.codeVersion,
      ...facts,
      contract: contractIn(facts),
      orderSystem: await this.#asked(facts),
    });
  }

  /** Only what may have been ordered is asked for: under the chain's one reference stands one contract's order. */
  async #asked({ settlement, orders, subject }: EvidenceFacts): Promise<EvidenceFile['orderSystem']> {
    const system = this.orderSystem;
    const placed = orders.filter(({ state }) => state !== 'waiting' && state !== 'superseded');
    if (system === undefined || settlement === null || subject.kind !== 'contract' || placed.length === 0) return null;
    const answers: NonNullable<EvidenceFile['orderSystem']>['orders'] = [];
    for (const { side } of placed) {
      const reference = { kind: orderKindOf(side), reference: settlement.orderReference };
      const signal = AbortSignal.timeout(this.askTimeoutMs);
      const order = await answerOf(signal, () => system.readBack(reference, signal));
      answers.push({ side, order: order === undefined ? null : plain(order) });
    }
    // Only a label of when it was asked: nothing is decided by it.
    return { name: system.name, askedAt: instantOfMicros(BigInt(Date.now()) * 1000n), orders: answers };
  }
}

type Answer = NonNullable<NonNullable<EvidenceFile['orderSystem']>['orders'][number]['order']>;

/** The members that the format knows, as lists of its own. */
function plain(order: NonNullable<Awaited<ReturnType<OrderSystem['readBack']>>>): Answer {
  const { kind, reference, orderNumber, url, contractId, buyer, seller, currency, total } = order;
  return {
    ...{ kind, reference, orderNumber, ...(url !== undefined && { url }), contractId, buyer, seller, currency, total },
    lines: order.lines.map(({ id, sku, quantity, unit, unitPrice, amount }) => ({
      ...{ id, sku, quantity, unit, unitPrice, amount },
    })),
    charges: order.charges.map(({ id, type, amount }) => ({ id, type, amount })),
    deliveries: order.deliveries.map(({ id, notBefore, notAfter, items }) => ({
      ...{ id, notBefore, notAfter },
      items: items.map(({ line, quantity }) => ({ line, quantity })),
    })),
  };
}

/** The stream of a refused message may be that of the contract that it claims to be, which has events of its own. */
function eventsAbout({ subject, events }: EvidenceFacts): EvidenceFile['events'] {
  if (subject.kind === 'contract') return events;
  return events.filter(({ bytes }) => eventOf(Buffer.from(bytes, 'base64'))?.data?.['rawDigest'] === subject.rawDigest);
}

/** The contract as the message brought it that was accepted, or quarantined. */
function contractIn({ decisions, messages }: EvidenceFacts): EvidenceFile['contract'] {
  const decided = decisions.find(({ outcome }) => outcome === 'accepted' || outcome === 'quarantined');
  const message = messages.find(({ rawDigest }) => rawDigest === decided?.rawDigest);
  if (message === undefined) return null;
  const read = readEnvelope(Buffer.from(message.bytes, 'base64'));
  if (!read.ok) return null;
  const { contractId, shortRef, canonical, envelope } = read.identified;
  const signatures = envelope.signatures.map(({ role, suite, kid, signature }) => ({ role, suite, kid, signature }));
  return { contractId, shortRef, canonical: Buffer.from(canonical).toString('utf8'), signatures };
}
