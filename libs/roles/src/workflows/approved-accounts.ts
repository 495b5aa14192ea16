import type { PaymentAccount } from '@v402/application';
import { contractText, parseStrictJson } from '@v402/contract';
import { RAILS, TerminalError, type Rail } from '@v402/domain';
import { z } from 'zod';

/** Creditor accounts by `accountKey`. */
export type ApprovedAccounts = ReadonlyMap<string, PaymentAccount>;

/** Room for about a hundred thousand accounts. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** How many places of a faulty file an error names. */
const LISTED_FAULTS = 50;

const fileSchema = z.strictObject({
  format: z.literal('v402-payment-accounts/1'),
  accounts: z.array(
    z.strictObject({
      party: contractText(),
      rail: z.enum(RAILS),
      currency: z.string().regex(/^[A-Z]{3}$/),
      account: z.strictObject({
        scheme: z.enum(['iban', 'other']),
        identification: contractText(1, 34),
        agent: contractText(1, 35).optional(),
      }),
    }),
  ),
});

export const accountKey = (party: string, rail: Rail, currency: string): string =>
  JSON.stringify([party, rail, currency]);

/**
 * Reads the file of approved creditor accounts, `v402-payment-accounts/1`, as strictly as a contract: what a reviewer sees
 * is what is paid to, so no member stands there twice and no character is invisible in its direction.
 *
 * @param file its name, for the error
 * @throws TerminalError `payment_accounts_invalid`, which names places in the file and never what stands there
 */
export function readAccounts(bytes: Uint8Array, file: string): ApprovedAccounts {
  const approved = new Map<string, PaymentAccount>();
  for (const [index, { party, rail, currency, account }] of parse(bytes, file).accounts.entries()) {
    const key = accountKey(party, rail, currency);
    // Of two accounts for the same payments nobody could say which one is approved.
    if (approved.has(key)) throw invalid(file, [`/accounts/${index}`]);
    const { agent, ...required } = account;
    approved.set(key, { ...required, ...(agent !== undefined && { agent }) });
  }
  return approved;
}

function parse(bytes: Uint8Array, file: string): z.infer<typeof fileSchema> {
  const parsed = parseStrictJson(bytes, MAX_FILE_BYTES);
  if (!parsed.ok) {
    const { code, where = '' } = parsed.refusal;
    const message = `The payment accounts ${file} cannot be read as strict JSON: ${code} at "${where}".`;
    throw new TerminalError('payment_accounts_invalid', message);
  }
  const result = fileSchema.safeParse(parsed.value);
  if (result.success) return result.data;
  throw invalid(
    file,
    result.error.issues.map(({ path }) => `/${path.join('/')}`),
  );
}

function invalid(file: string, places: readonly string[]): TerminalError {
  const hidden = places.length - LISTED_FAULTS;
  const listed = places.slice(0, LISTED_FAULTS).join(', ') + (hidden > 0 ? ` and ${hidden} more places` : '');
  return new TerminalError('payment_accounts_invalid', `The payment accounts ${file} are at fault at ${listed}.`);
}
