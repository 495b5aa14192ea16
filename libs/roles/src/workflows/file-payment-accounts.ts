import { readFileSync, statSync } from 'node:fs';
import { PaymentAccounts, type Alarms, type PaymentAccount } from '@v402/application';
import { RAILS, TerminalError, type Rail } from '@v402/domain';
import { z } from 'zod';

const fileSchema = z.strictObject({
  format: z.literal('v402-payment-accounts/1'),
  accounts: z.array(
    z.strictObject({
      party: z.string().min(1),
      rail: z.enum(RAILS),
      currency: z.string().regex(/^[A-Z]{3}$/),
      account: z.strictObject({
        scheme: z.enum(['iban', 'other']),
        identification: z.string().min(1).max(34),
        agent: z.string().min(1).max(35).optional(),
      }),
    }),
  ),
});

const accountKey = (party: string, rail: Rail, currency: string): string => JSON.stringify([party, rail, currency]);

/**
 * Approved creditor accounts from a file that the enterprise maintains. A changed file is read again, so that a payment
 * that lacked its account goes on; one that cannot be read any more raises an alarm, and the last good one counts.
 */
export class FilePaymentAccounts extends PaymentAccounts {
  #accounts: ReadonlyMap<string, PaymentAccount>;
  #changedMs: number;

  /** @throws TerminalError `payment_accounts_invalid` */
  constructor(
    private readonly file: string,
    private readonly alarms: Alarms,
  ) {
    super();
    this.#changedMs = changedMs(file);
    this.#accounts = readAccounts(file);
  }

  override approved(partyId: string, rail: Rail, currency: string): PaymentAccount | undefined {
    this.#refresh();
    return this.#accounts.get(accountKey(partyId, rail, currency));
  }

  #refresh(): void {
    const changed = changedMs(this.file);
    if (changed === this.#changedMs) return;
    this.#changedMs = changed;
    try {
      this.#accounts = readAccounts(this.file);
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      this.alarms.raise(error.code, error.message, {});
    }
  }
}

/** Without a file no account is approved: every bank payment stops, visibly. */
export class NoPaymentAccounts extends PaymentAccounts {
  override approved(): undefined {
    return undefined;
  }
}

/** 0 where the file cannot be looked at: reading it then says why. */
function changedMs(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function readAccounts(file: string): ReadonlyMap<string, PaymentAccount> {
  const approved = new Map<string, PaymentAccount>();
  for (const [index, { party, rail, currency, account }] of parse(file).accounts.entries()) {
    const key = accountKey(party, rail, currency);
    // Of two accounts for the same payments nobody could say which one is approved.
    if (approved.has(key)) throw invalid(file, [`/accounts/${index}`]);
    const { agent, ...required } = account;
    approved.set(key, { ...required, ...(agent !== undefined && { agent }) });
  }
  return approved;
}

/** The error names places in the file, never what stands there. */
function parse(file: string): z.infer<typeof fileSchema> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new TerminalError('payment_accounts_invalid', `The payment accounts ${file} cannot be read as JSON.`);
  }
  const result = fileSchema.safeParse(content);
  if (result.success) return result.data;
  throw invalid(
    file,
    result.error.issues.map(({ path }) => `/${path.join('/')}`),
  );
}

function invalid(file: string, places: readonly string[]): TerminalError {
  const message = `The payment accounts ${file} are at fault at ${places.join(', ')}.`;
  return new TerminalError('payment_accounts_invalid', message);
}
