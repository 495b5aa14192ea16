import type { JsonValue } from '@v402/contract';
import { readAccounts } from '../../../libs/roles/src/workflows/approved-accounts.js';
import type { Chance } from '../chance.js';
import { loadHardCases } from '../corpus.js';
import { otherJson } from '../json-form.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutateJson } from '../mutate-json.js';
import { documentedError } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

const SECRET = 'DE02120300000000202051';
const HARD = loadHardCases('payment-accounts.json');
const FILE: JsonValue = {
  format: 'v402-payment-accounts/1',
  accounts: [
    {
      party: 'did:web:seller.example',
      rail: 'sepa',
      currency: 'EUR',
      account: { scheme: 'iban', identification: SECRET, agent: 'BYLADEM1001' },
    },
    {
      party: 'did:web:other.example',
      rail: 'ach',
      currency: 'USD',
      account: { scheme: 'other', identification: '021-123' },
    },
  ],
};

function generate(chance: Chance): Uint8Array {
  if (chance.oneIn(100)) return chance.pick(HARD);
  let file = FILE;
  for (let left = chance.pick([0, 1, 1, 2]); left > 0; left -= 1) file = mutateJson(file, chance);
  const bytes = Buffer.from(chance.oneIn(2) ? JSON.stringify(file) : otherJson(file, chance), 'utf8');
  return chance.oneIn(4) ? mutateBytes(bytes, chance) : bytes;
}

function run(bytes: Uint8Array): Outcome {
  try {
    const accounts = [...readAccounts(bytes, 'accounts.json')];
    mustHold(
      accounts.every(([, { identification }]) => /^.{1,34}$/su.test(identification)),
      'an account has its form',
    );
    return { kind: 'accepted', decided: accounts };
  } catch (error) {
    return documentedError(error, ['payment_accounts_invalid'], [SECRET, 'BYLADEM1001', '021-123']);
  }
}

export const paymentAccounts = defineTarget('payment-accounts', generate, run);
