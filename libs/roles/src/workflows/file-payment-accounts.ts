import { readFileSync } from 'node:fs';
import { PaymentAccounts, type Alarms, type PaymentAccount } from '@v402/application';
import { TerminalError, type Rail } from '@v402/domain';
import { WatchedFile } from '../core/watched-file.js';
import { accountKey, readAccounts, type ApprovedAccounts } from './approved-accounts.js';

/**
 * Approved creditor accounts from a file that the enterprise maintains. A changed file is read again, so that a payment
 * that lacked its account goes on; one that cannot be read any more raises an alarm, and the last good one counts.
 */
export class FilePaymentAccounts extends PaymentAccounts {
  readonly #accounts: WatchedFile<ApprovedAccounts>;

  /** @throws TerminalError `payment_accounts_invalid` */
  constructor(file: string, alarms: Alarms) {
    super();
    this.#accounts = new WatchedFile(file, readFile, {
      onFault: (error) => {
        const message = error instanceof TerminalError ? error.message : `The payment accounts ${file} cannot be read.`;
        alarms.raise('payment_accounts_invalid', message, {});
      },
    });
  }

  override approved(partyId: string, rail: Rail, currency: string): PaymentAccount | undefined {
    return this.#accounts.content.get(accountKey(partyId, rail, currency));
  }
}

/** Without a file no account is approved: every bank payment stops, visibly. */
export class NoPaymentAccounts extends PaymentAccounts {
  override approved(): undefined {
    return undefined;
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
