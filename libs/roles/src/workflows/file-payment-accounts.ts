import { readFileSync, statSync } from 'node:fs';
import { PaymentAccounts, type Alarms, type PaymentAccount } from '@v402/application';
import { TerminalError, type Rail } from '@v402/domain';
import { accountKey, readAccounts, type ApprovedAccounts } from './approved-accounts.js';

/**
 * Approved creditor accounts from a file that the enterprise maintains. A changed file is read again, so that a payment
 * that lacked its account goes on; one that cannot be read any more raises an alarm, and the last good one counts.
 */
export class FilePaymentAccounts extends PaymentAccounts {
  #accounts: ApprovedAccounts;
  #changedMs: number;

  /** @throws TerminalError `payment_accounts_invalid` */
  constructor(
    private readonly file: string,
    private readonly alarms: Alarms,
  ) {
    super();
    this.#changedMs = changedMs(file);
    this.#accounts = readFile(file);
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
      this.#accounts = readFile(this.file);
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      this.alarms.raise('payment_accounts_invalid', error.message, {});
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

function readFile(file: string): ApprovedAccounts {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new TerminalError('payment_accounts_invalid', `The payment accounts ${file} cannot be read.`);
  }
  return readAccounts(bytes, file);
}
