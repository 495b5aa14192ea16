import { EmbeddedOrderSystem } from '@v402/order-systems';
import { BackOffice } from '../support/back-office.js';

/** A server whose default is to confirm commits before they are durable. Real: PostgreSQL. */
let office: BackOffice;

beforeEach(async () => {
  office = await BackOffice.open();
  const { name } = office.database;
  await office.sql(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  await office.sql('CREATE TABLE public.seen (setting text)');
  await office.sql(`
    CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
      INSERT INTO public.seen VALUES (current_setting('synchronous_commit'));
      RETURN NEW;
    END $$`);
});
afterEach(() => office.close());

const seenIn = async (table: string, step: () => Promise<unknown>): Promise<unknown[]> => {
  await office.sql(`CREATE TRIGGER see BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION public.see()`);
  await step();
  return office.sql('SELECT DISTINCT setting FROM public.seen');
};

test('what the services commit is durable all the same', async () => {
  expect(await seenIn('v402.settlement', () => office.accept())).toEqual([{ setting: 'on' }]);
});

test('so is an order of the embedded order book', async () => {
  await office.accept({}, ['seller']);
  const book = new EmbeddedOrderSystem({ url: office.database.orderbookUrl });
  const placed = await seenIn('orderbook.order_head', () => office.orders(book).handle());
  await book.close();
  expect(placed).toEqual([{ setting: 'on' }]);
});
