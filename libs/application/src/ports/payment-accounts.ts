import type { Rail } from '@v402/domain';

/** A bank account as ISO 20022 names it. */
export interface PaymentAccount {
  readonly scheme: 'iban' | 'other';
  readonly identification: string;
  /** BIC or clearing code of the bank. */
  readonly agent?: string;
}

/** The payer's own approved master data, answered from memory. A message never says where money goes. */
export abstract class PaymentAccounts {
  /** @returns undefined when no account of this party is approved for the rail and currency */
  abstract approved(partyId: string, rail: Rail, currency: string): PaymentAccount | undefined;
}

/** Rails whose payer has to know the creditor's bank account. */
export const BANK_RAILS: ReadonlySet<Rail> = new Set<Rail>(['sepa', 'ach']);
