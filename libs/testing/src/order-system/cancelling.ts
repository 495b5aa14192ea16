import type { OrderDraft, OrderReference, OrderSystem } from '@v402/application';
import { createWhole, inTime, newDraft, type SuiteContext } from './suite.js';

export function describeCancelling({ capabilities, fixture, system }: SuiteContext): void {
  const cancel = (reference: OrderReference): ReturnType<OrderSystem['cancel']> =>
    system().cancel(reference, 'conformance', inTime());

  describe(`cancel: ${capabilities.cancel}`, () => {
    test('behavior: an open order', async () => {
      const draft = newDraft();
      await createWhole(system(), draft);
      const canCancel = capabilities.cancel !== 'none';
      for (let time = 1; time <= 2; time++) {
        expect(await cancel(draft)).toMatchObject({ outcome: canCancel ? 'cancelled' : 'refused' });
        expect(await system().status(draft, inTime())).toBe(canCancel ? 'cancelled' : 'open');
      }
      expect(await fixture().countOrders(draft)).toBe(1);
    });

    test('behavior: a fulfilled order', async () => {
      const draft = newDraft();
      await createWhole(system(), draft);
      await fixture().fulfil(draft);
      expect(await system().status(draft, inTime())).toBe('fulfilled');
      const canCancel = capabilities.cancel === 'full';
      expect(await cancel(draft)).toMatchObject({ outcome: canCancel ? 'cancelled' : 'refused' });
      expect(await system().status(draft, inTime())).toBe(canCancel ? 'cancelled' : 'fulfilled');
    });

    test('behavior: an order that does not exist', async () => {
      const outcome = capabilities.cancel === 'none' ? 'refused' : 'not_found';
      expect(await cancel(newDraft())).toMatchObject({ outcome });
    });

    test('behavior: one kind of a shared reference leaves the other alone', async () => {
      const sale = newDraft({ kind: 'sales_order' });
      const purchase: OrderDraft = { ...sale, kind: 'purchase_order' };
      await createWhole(system(), sale);
      await createWhole(system(), purchase);
      await cancel(sale);
      expect(await system().status(purchase, inTime())).toBe('open');
    });
  });
}
