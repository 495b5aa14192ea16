import { createWhole, newDraft, type SuiteContext } from './suite.js';

export function describePreflight({ capabilities, fixture, system }: SuiteContext): void {
  const { priceScale, quantityScale, refMaxLength, refCharset } = capabilities;
  const inCharset = (code: number): boolean => refCharset.test(String.fromCodePoint(code));

  describe('preflight', () => {
    test('behavior: writes nothing', async () => {
      const draft = newDraft();
      await system().preflight(draft);
      expect(await fixture().countOrders(draft)).toBe(0);
    });

    test('behavior: a reference may have the declared length, and no character more', async () => {
      const { reference } = newDraft();
      const longest = newDraft({ reference: reference.padEnd(refMaxLength, 'X') });
      await createWhole(system(), longest);
      const tooLong = await system().preflight({ ...longest, reference: `${longest.reference}X` });
      expect(tooLong).toEqual([{ code: 'reference_too_long', where: '' }]);
    });

    test('behavior: our references fit its characters, and others are refused', async () => {
      expect(
        '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.split(/(?=.)/).filter((character) => !refCharset.test(character)),
      ).toEqual([]);
      const foreign = Array.from({ length: 0x3000 }, (_, code) => code + 0x20).find((code) => !inCharset(code));
      if (foreign === undefined) throw new Error('It declares that a reference may hold every character there is.');
      const draft = newDraft({ reference: `A${String.fromCodePoint(foreign)}` });
      expect(await system().preflight(draft)).toEqual([{ code: 'reference_character_unsupported', where: '' }]);
    });

    /** The smallest value of one fraction digit more. */
    const digit = (scale: number): string => `0.${'0'.repeat(scale)}1`;

    test(`behavior: a price of more than ${priceScale} fraction digits is refused`, async () => {
      // Nine is all that the contract format has.
      const [unitPrice, where] = [digit(Math.min(priceScale, 8)), '/terms/lines/0/unitPrice'];
      const draft = newDraft({ lines: [{ sku: 'A', quantity: '1000000000', unitPrice }] });
      const issues = priceScale >= 9 ? [] : [{ code: 'price_scale_exceeded', where }];
      expect(await system().preflight(draft)).toEqual(issues);
    });

    test(`behavior: a quantity of more than ${quantityScale} fraction digits is refused, in lines and deliveries`, async () => {
      const quantity = digit(Math.min(quantityScale, 8));
      const draft = newDraft({ lines: [{ sku: 'A', quantity, unitPrice: '1000000000' }] });
      const places = ['/terms/lines/0/quantity', '/terms/delivery/schedule/0/items/0/quantity'];
      const issues = quantityScale >= 9 ? [] : places.map((where) => ({ code: 'quantity_scale_exceeded', where }));
      expect(await system().preflight(draft)).toEqual(issues);
    });

    test('behavior: digits that are zero need no room', async () => {
      const lines = [{ sku: 'A', quantity: '2.000000000', unitPrice: '3.000000000' }];
      await createWhole(system(), newDraft({ lines }));
    });
  });
}
