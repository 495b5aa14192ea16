import { orderDifferences, type CreateOutcome, type OrderDraft } from '@v402/application';
import { createWhole, inTime, newDraft, options, type SuiteContext } from './suite.js';

const outcomesOf = (outcomes: readonly CreateOutcome[], outcome: CreateOutcome['outcome']): number =>
  outcomes.filter((each) => each.outcome === outcome).length;

export function describeReferences({ capabilities, fixture, system }: SuiteContext): void {
  const { uniqueRef, upsertOverwrites } = capabilities;

  describe('reference', () => {
    test('behavior: another reference is another order', async () => {
      const contractOnly = { negotiationId: `conformance-same-${Date.now()}` };
      const [first, second] = [newDraft({ ...contractOnly, reference: newDraft().reference }), newDraft(contractOnly)];
      expect(await createWhole(system(), first)).not.toBe(await createWhole(system(), second));
    });

    test('behavior: a sales order and a purchase order share a reference', async () => {
      const sale = newDraft({ kind: 'sales_order' });
      const purchase: OrderDraft = { ...sale, kind: 'purchase_order' };
      const numbers = [await createWhole(system(), sale), await createWhole(system(), purchase)];
      expect(new Set(numbers).size).toBe(2);
      expect(await fixture().countOrders(sale)).toBe(1);
      expect(await fixture().countOrders(purchase)).toBe(1);
    });

    test('behavior: an order of another contract under our reference shows its own contractId', async () => {
      const theirs = newDraft();
      const ours = newDraft({ reference: theirs.reference, currency: 'USD' });
      await createWhole(system(), theirs);
      const snapshot = await system().readBack(ours, inTime());
      expect(snapshot?.contractId).toBe(theirs.contractId);
      expect(snapshot && orderDifferences(ours, snapshot)).toEqual(
        expect.arrayContaining(['/contractId', '/terms/currency']),
      );
    });

    if (uniqueRef === 'none') describeReusedReferences({ fixture, system });
    else if (upsertOverwrites) describeOverwrittenReferences({ fixture, system });
    else describeUniqueReferences({ fixture, system });
  });
}

function describeUniqueReferences({ fixture, system }: Omit<SuiteContext, 'capabilities'>): void {
  test('behavior: a second create is answered with the order that exists, which stays as it is', async () => {
    const draft = newDraft();
    const orderNumber = await createWhole(system(), draft);
    const other = newDraft({ reference: draft.reference, lines: [{ sku: 'OTHER', quantity: '1', unitPrice: '1.00' }] });
    for (const second of [draft, other]) {
      const outcome = await system().create(second, options());
      expect(outcome).toMatchObject({ outcome: 'already_exists', order: { orderNumber } });
    }
    expect(await fixture().countOrders(draft)).toBe(1);
    const snapshot = await system().readBack(draft, inTime());
    expect(snapshot && orderDifferences(draft, snapshot)).toEqual([]);
  });

  test('behavior: creates of one reference at once make one order', async () => {
    const draft = newDraft();
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => system().create(draft, options())));
    expect(outcomesOf(outcomes, 'created')).toBe(1);
    // Who came too late may be told so, or be asked to come again.
    expect(outcomesOf(outcomes, 'already_exists') + outcomesOf(outcomes, 'retryable')).toBe(7);
    expect(await fixture().countOrders(draft)).toBe(1);
  });

  test('behavior: a cancelled order keeps its reference', async () => {
    const draft = newDraft();
    await createWhole(system(), draft);
    await system().cancel(draft, 'conformance', inTime());
    expect(await system().create(draft, options())).toMatchObject({ outcome: 'already_exists' });
    expect(await fixture().countOrders(draft)).toBe(1);
  });
}

function describeReusedReferences({ fixture, system }: Omit<SuiteContext, 'capabilities'>): void {
  test('behavior: nobody refuses a second order, and a look-up shows both', async () => {
    const draft = newDraft();
    const numbers = [await createWhole(system(), draft)];
    const second = await system().create(draft, options());
    expect(second).toMatchObject({ outcome: 'created' });
    if (second.outcome === 'created') numbers.push(second.order.orderNumber);
    const found = await system().findByReference(draft, inTime());
    expect(found.found === 'many' && found.orders.map(({ orderNumber }) => orderNumber).sort()).toEqual(numbers.sort());
    expect(await fixture().countOrders(draft)).toBe(2);
  });
}

function describeOverwrittenReferences({ fixture, system }: Omit<SuiteContext, 'capabilities'>): void {
  test('behavior: a second create overwrites the order', async () => {
    const first = newDraft();
    await createWhole(system(), first);
    await createWhole(system(), newDraft({ reference: first.reference, currency: 'USD' }));
    expect(await fixture().countOrders(first)).toBe(1);
  });
}
