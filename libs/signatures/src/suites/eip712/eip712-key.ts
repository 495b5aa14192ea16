import { z } from 'zod';
import type { JsonObject } from '../signature-suite.js';

const ADDRESS = /^0x[0-9a-f]{40}$/;
const KID = /^did:pkh:eip155:[1-9][0-9]{0,31}:(0x[0-9a-f]{40})$/;

/** What a registered key has in the suite `eip712` alone. */
export const eip712Members = {
  kid: z.string().regex(KID),
  /** 20 bytes as lower-case hex. */
  address: z.string().regex(ADDRESS),
  /** `eoa`: a plain key pair; `contract`: a contract account (ERC-1271, ERC-6492), which its chain has to be asked about. */
  account: z.enum(['eoa', 'contract']).exactOptional(),
};

/** The account address that a kid names, `did:pkh:eip155:<chain>:<address>`; `undefined` for any other text. */
export function addressOfKid(kid: string): string | undefined {
  return KID.exec(kid)?.[1];
}

/** The kid is at fault where it names another address than the entry. */
export function eip712Misfits({ kid, address }: JsonObject): readonly string[] {
  if (typeof kid !== 'string' || typeof address !== 'string' || !ADDRESS.test(address)) return [];
  const named = addressOfKid(kid);
  return named === undefined || named === address ? [] : ['kid'];
}
