import { z } from 'zod';
import type { SignatureSuite } from '../signature-suite.js';
import { eip712Members, eip712Misfits } from './eip712-key.js';
import { readEip712PrivateKey } from './sign.js';
import { AccountKey, contractAccountKey } from './verify.js';

const entrySchema = z.object(eip712Members);

/** EIP-712 typed data, signed by the account that the kid names: a wallet shows its owner what is signed. */
export const eip712Suite: SignatureSuite = {
  name: 'eip712',
  uniqueMember: 'address',
  members: () => eip712Members,
  misfits: eip712Misfits,
  open(entry) {
    const { address, account } = entrySchema.parse(entry);
    return account === 'contract' ? contractAccountKey : new AccountKey(address);
  },
  readPrivateKey: readEip712PrivateKey,
};
