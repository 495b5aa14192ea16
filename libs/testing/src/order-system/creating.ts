import { createWhole, inTime, newDraft, type SuiteContext } from './suite.js';

export function describeCreating({ capabilities, fixture, system }: SuiteContext): void {
  describe('create', () => {
    test('default: an order that is created is found, open, and reads back as agreed', async () => {
      const draft = newDraft();
      const orderNumber = await createWhole(system(), draft);
      const found = await system().findByReference(draft, inTime());
      expect(found).toMatchObject({ found: 'one', order: { orderNumber } });
      expect(await system().status(draft, inTime())).toBe('open');
      expect(await fixture().countOrders(draft)).toBe(1);
    });

    test('behavior: an order that was never created is not found', async () => {
      const draft = newDraft();
      expect(await system().findByReference(draft, inTime())).toEqual({ found: 'none' });
      expect(await system().readBack(draft, inTime())).toBeUndefined();
      expect(await system().status(draft, inTime())).toBeUndefined();
    });

    test('behavior: charges, several deliveries and what is optional come back', async () => {
      const lines = [
        { sku: 'A', quantity: '10', unitPrice: '3.00', description: 'Part A' },
        { sku: 'B', quantity: '4', unitPrice: '2.50', unit: 'KGM', id: 'line-b' },
      ];
      const charges = [
        { type: 'freight' as const, amount: '12.00' },
        { type: 'discount' as const, amount: '-2.00' },
        { type: 'tax' as const, amount: '9.50', rate: '19', category: 'S' },
      ];
      const [notBefore, notAfter] = ['2026-12-01', '2026-12-24'];
      const schedule = [
        { notBefore, notAfter, items: [{ line: '1', quantity: '6' }] },
        { notBefore: '2027-02-28', notAfter: '2028-02-29' },
      ];
      await createWhole(system(), newDraft({ lines, charges, delivery: { schedule } }));
    });

    test('behavior: texts of any script and full length come back character for character', async () => {
      const texts = [
        'Schraube M8 – verzinkt “A2”',
        '螺栓 M8 不锈钢',
        'برغي',
        '🔩'.repeat(512),
        `\\"'{},;--$1 %s NULL`,
        'é é',
      ];
      const lines = texts.map((sku) => ({ sku, description: sku, quantity: '1', unitPrice: '1.00' }));
      const parties = { buyer: { id: `did:web:${'ü'.repeat(100)}.example` } };
      await createWhole(system(), newDraft({ lines, parties }));
    });

    test('behavior: ids of the longest kind, in lines, deliveries and charges', async () => {
      const id = '𝕏'.repeat(512);
      const schedule = [{ id, notBefore: '2026-12-01', notAfter: '2026-12-01' }];
      const lines = [{ id, sku: 'A', quantity: '1', unitPrice: '1.00' }];
      const charges = [{ id, type: 'other' as const, amount: '1.00' }];
      await createWhole(system(), newDraft({ lines, charges, delivery: { schedule } }));
    });

    test('behavior: a thousand lines in a hundred deliveries', async () => {
      const lines = Array.from({ length: 1000 }, (_, index) => ({
        sku: `SKU-${index}`,
        quantity: '7',
        unitPrice: '1.01',
      }));
      const schedule = Array.from({ length: 100 }, (_, delivery) => ({
        notBefore: '2026-12-01',
        notAfter: '2026-12-05',
        items: Array.from({ length: 10 }, (_, item) => ({ line: String(delivery * 10 + item + 1), quantity: '7' })),
      }));
      await createWhole(system(), newDraft({ lines, delivery: { schedule } }));
    });

    test('behavior: decimals as long as it declares come back exactly', async () => {
      const { priceScale, quantityScale } = capabilities;
      const quantity = quantityScale === 0 ? '123456789' : `123456789.${'123456789'.slice(0, quantityScale)}`;
      const unitPrice = priceScale === 0 ? '98765' : `98765.${'987654321'.slice(0, priceScale)}`;
      await createWhole(system(), newDraft({ lines: [{ sku: 'A', quantity, unitPrice }] }));
    });

    test('behavior: as many creates at once as it declares', async () => {
      const many = Array.from({ length: capabilities.maxConcurrency }, () => newDraft());
      await Promise.all(many.map((draft) => createWhole(system(), draft)));
    });
  });
}
