import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Alarms, type PaymentAccounts } from '@v402/application';
import { FilePaymentAccounts, NoPaymentAccounts } from './file-payment-accounts.js';

class KeptAlarms extends Alarms {
  readonly raised: { code: string; message: string }[] = [];

  override raise(code: string, message: string): void {
    this.raised.push({ code, message });
  }
}

const folder = mkdtempSync(join(tmpdir(), 'v402-accounts-'));
const file = join(folder, 'accounts.json');
let changes = 0;
/** Writes the file at a moment of its own: a file system's clock may be coarser than a test. */
const write = (content: unknown): void => {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  changes += 1;
  utimesSync(file, changes, changes);
};

const PARTY = 'did:web:seller.example';
const ACCOUNT = { scheme: 'iban', identification: 'DE02120300000000202051', agent: 'BYLADEM1001' } as const;
const entry = (overrides: object = {}): object => ({
  party: PARTY,
  rail: 'sepa',
  currency: 'EUR',
  account: ACCOUNT,
  ...overrides,
});
const accountsFile = (...accounts: object[]): object => ({ format: 'v402-payment-accounts/1', accounts });

let alarms: KeptAlarms;
beforeEach(() => {
  alarms = new KeptAlarms();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('default: an account is approved for one party, rail and currency', () => {
  const plain = { scheme: 'other', identification: '021000021-123' } as const;
  write(accountsFile(entry(), entry({ rail: 'ach', currency: 'USD', account: plain })));
  const accounts = new FilePaymentAccounts(file, alarms);
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toEqual(ACCOUNT);
  expect(accounts.approved(PARTY, 'ach', 'USD')).toEqual(plain);
  expect(accounts.approved(PARTY, 'sepa', 'USD')).toBeUndefined();
  expect(accounts.approved(PARTY, 'ach', 'EUR')).toBeUndefined();
  expect(accounts.approved('did:web:other.example', 'sepa', 'EUR')).toBeUndefined();
});

test('behavior: a changed file counts at once, in both directions', () => {
  write(accountsFile());
  const accounts = new FilePaymentAccounts(file, alarms);
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toBeUndefined();
  write(accountsFile(entry()));
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toEqual(ACCOUNT);
  write(accountsFile());
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toBeUndefined();
  expect(alarms.raised).toEqual([]);
});

test('error: a file that goes bad raises one alarm, and the last good one counts', () => {
  write(accountsFile(entry()));
  const accounts = new FilePaymentAccounts(file, alarms);
  write('{');
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toEqual(ACCOUNT);
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toEqual(ACCOUNT);
  rmSync(file);
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toEqual(ACCOUNT);
  expect(alarms.raised.map(({ code }) => code)).toEqual(['payment_accounts_invalid', 'payment_accounts_invalid']);
  write(accountsFile());
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toBeUndefined();
});

test.each([
  ['no JSON', '{', 'cannot be read as strict JSON: malformed_json'],
  [
    'a member that stands there twice',
    JSON.stringify(accountsFile(entry())).replace('"agent"', '"identification":"DE0233","agent"'),
    'duplicate_key at "/accounts/0/account/identification"',
  ],
  [
    'an account with a character that turns its text round',
    accountsFile(entry({ account: { ...ACCOUNT, identification: '\u202e1502' } })),
    '/accounts/0/account/identification',
  ],
  [
    'thousands of faults',
    accountsFile(...Array.from({ length: 5_000 }, () => entry({ rail: 'wire' }))),
    'and 4950 more places',
  ],
  ['another format', { format: 'v402-payment-accounts/2', accounts: [] }, '/format'],
  ['an unknown rail', accountsFile(entry({ rail: 'wire' })), '/accounts/0/rail'],
  ['a currency that is none', accountsFile(entry(), entry({ currency: 'euro' })), '/accounts/1/currency'],
  [
    'an account too long',
    accountsFile(entry({ account: { ...ACCOUNT, identification: 'X'.repeat(35) } })),
    '/accounts/0/account/identification',
  ],
  ['a member that nobody reads', accountsFile(entry({ approvedBy: 'me' })), '/accounts/0'],
])('error: %s does not start, and the error says where but not what', (_, content, where) => {
  write(content);
  const start = (): unknown => new FilePaymentAccounts(file, alarms);
  expect(start).toThrow(expect.objectContaining({ code: 'payment_accounts_invalid' }) as Error);
  expect(start).toThrow(where);
  expect(start).not.toThrow(/DE02|XXXX|euro|wire/);
});

test('error: a file that is not there does not start', () => {
  expect(() => new FilePaymentAccounts(join(folder, 'absent.json'), alarms)).toThrow(
    expect.objectContaining({ code: 'payment_accounts_invalid' }) as Error,
  );
});

test('error: two accounts for the same party, rail and currency do not start: which one is right?', () => {
  write(accountsFile(entry(), entry({ account: { scheme: 'other', identification: '1' } })));
  expect(() => new FilePaymentAccounts(file, alarms)).toThrow('/accounts/1');
});

test('behavior: without a file no account is approved', () => {
  const accounts: PaymentAccounts = new NoPaymentAccounts();
  expect(accounts.approved(PARTY, 'sepa', 'EUR')).toBeUndefined();
});
