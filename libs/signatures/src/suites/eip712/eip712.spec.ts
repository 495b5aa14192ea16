import { buildContract, identifyContract } from '@v402/contract';
import { TerminalError, type SettlementContract } from '@v402/domain';
import type { SignableContract, SigningKey } from '../signature-suite.js';
import { eip712Suite } from './eip712.suite.js';

/** The order of secp256k1's group. */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const PRIVATE_KEY = `${'0'.repeat(63)}1`;
/** The account of the private key 1. */
const ADDRESS = '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf';
const KID = `did:pkh:eip155:1:${ADDRESS}`;

function codeThrownBy(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof TerminalError ? error.code : String(error);
  }
  return undefined;
}

function signable(changes: Partial<SettlementContract> = {}): SignableContract {
  const contract = { ...buildContract(), ...changes };
  return { contract, ...identifyContract(contract) };
}

function readKey(text: string, kid?: string): SigningKey {
  const key = eip712Suite.readPrivateKey(text, kid);
  if (key === undefined) throw new Error('The text is no key of this suite.');
  return key;
}

const account = eip712Suite.open({ kid: KID, address: ADDRESS });
const genuine = readKey(PRIVATE_KEY).sign(signable(), 'buyer');
const [r, s, v] = [genuine.slice(2, 66), genuine.slice(66, 130), genuine.slice(130)];

describe('eip712: checking', () => {
  it('takes a signature of its account, over this contract and in this role only', () => {
    const check = account.read(genuine, 'buyer');
    expect(check?.(signable())).toBe(true);
    expect(check?.(signable({ negotiationId: 'neg-2' }))).toBe(false);
    expect(account.read(genuine, 'seller')?.(signable())).toBe(false);
  });

  it('refuses another account', () => {
    const address = `0x${'ab'.repeat(20)}`;
    const other = eip712Suite.open({ kid: `did:pkh:eip155:1:${address}`, address });
    expect(other.read(genuine, 'buyer')?.(signable())).toBe(false);
  });

  it.each([
    ['no prefix', genuine.slice(2)],
    ['capitals', `0x${genuine.slice(2).toUpperCase()}`],
    ['64 bytes', genuine.slice(0, -2)],
    ['66 bytes', `${genuine}00`],
    ['a line’s end', `${genuine}\n`],
    ['v = 0', `0x${r}${s}00`],
    ['v = 29', `0x${r}${s}1d`],
    ['high s', `0x${r}${(N - BigInt(`0x${s}`)).toString(16).padStart(64, '0')}${v === '1b' ? '1c' : '1b'}`],
    ['s one above half the order', `0x${r}${(N / 2n + 1n).toString(16)}${v}`],
    ['nothing', ''],
  ])('calls malformed: %s', (_, text) => {
    expect(account.read(text, 'buyer')).toBeUndefined();
  });

  it.each([
    ['the other v', `0x${r}${s}${v === '1b' ? '1c' : '1b'}`],
    ['r = 0', `0x${'0'.repeat(64)}${s}${v}`],
    ['s = 0', `0x${r}${'0'.repeat(64)}${v}`],
    ['r at the order', `0x${N.toString(16)}${s}${v}`],
    ['s of half the order', `0x${r}${(N / 2n).toString(16)}${v}`],
  ])('calls well formed and wrong: %s', (_, text) => {
    expect(account.read(text, 'buyer')?.(signable())).toBe(false);
  });

  it('has no form for a contract that ends before 1970: nothing verifies, nothing throws', () => {
    const old = signable({ agreedAt: '1969-12-31T00:00:00Z', expiresAt: '1969-12-31T23:59:59.9Z' });
    expect(account.read(genuine, 'buyer')?.(old)).toBe(false);
    expect(codeThrownBy(() => readKey(PRIVATE_KEY).sign(old, 'buyer'))).toBe('contract_not_signable');
  });

  it('cannot ask a contract account', () => {
    expect(eip712Suite.open({ kid: KID, address: ADDRESS, account: 'contract' }).available).toBe(false);
    expect(eip712Suite.open({ kid: KID, address: ADDRESS, account: 'eoa' }).available).toBe(true);
  });
});

describe('eip712: private keys', () => {
  it.each([PRIVATE_KEY, `0x${PRIVATE_KEY}`, `\n ${PRIVATE_KEY}\n`])('reads hex: %j', (text) => {
    expect(readKey(text)).toMatchObject({ suite: 'eip712', kid: KID });
  });

  it('signs under a kid on another chain', () => {
    const kid = `did:pkh:eip155:8453:${ADDRESS}`;
    expect(readKey(PRIVATE_KEY, kid).kid).toBe(kid);
  });

  it.each([`did:pkh:eip155:1:0x${'ab'.repeat(20)}`, `did:pkh:eip155:01:${ADDRESS}`, 'did:web:buyer.example#1'])(
    'error: the kid %s is not that of the key',
    (kid) => {
      expect(codeThrownBy(() => readKey(PRIVATE_KEY, kid))).toBe('private_key_kid_mismatch');
    },
  );

  it.each([
    ['zero', '0'.repeat(64)],
    ['the order', N.toString(16)],
  ])('error: %s is no private key', (_, text) => {
    expect(codeThrownBy(() => readKey(text))).toBe('private_key_invalid');
  });

  it('leaves other texts to other suites', () => {
    expect(eip712Suite.readPrivateKey('{}')).toBeUndefined();
    expect(eip712Suite.readPrivateKey(`${PRIVATE_KEY}0`)).toBeUndefined();
  });
});
