import { shortRefOf } from '@v402/contract';
import type { OperatorCase } from '../ports/case-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import { isUuid } from '../uuid.js';
import { OperationRefused } from './operation-refused.js';

const CONTRACT_ID = /^[0-9a-f]{64}$/i;

/**
 * The case that an operator names: by its own id, by the contractId or the shortRef of its contract. By a contract only
 * where it has one open case.
 * @throws OperationRefused `case_not_found`, `several_cases`
 */
export async function findCase(tx: Transaction, id: string): Promise<OperatorCase> {
  if (isUuid(id)) {
    const one = await tx.cases.find(id.toLowerCase());
    if (one === undefined) throw notFound();
    return one;
  }
  return onlyOne(await openCasesOf(tx, id), notFound());
}

/** As `findCase`; of a contract, only what a redrive can bring on, an order that was given up too. */
export async function findForRedrive(tx: Transaction, id: string): Promise<OperatorCase> {
  if (isUuid(id)) return findCase(tx, id);
  const open = await openCasesOf(tx, id);
  if (open.length > 0) return onlyOne(open, nothingStuck());
  const contractId = await contractOf(tx, id);
  if (contractId === undefined) throw notFound();
  const givenUp = (await tx.cases.list({ contractId, all: true })).filter(
    ({ resolution, side, hold }) => resolution === 'reject' && side !== undefined && hold?.isOpen === true,
  );
  return onlyOne(givenUp, nothingStuck());
}

async function openCasesOf(tx: Transaction, id: string): Promise<readonly OperatorCase[]> {
  const contractId = await contractOf(tx, id);
  if (contractId !== undefined) {
    const cases = await tx.cases.list({ contractId });
    const own = cases.filter((one) => one.contractId === contractId);
    return own.length > 0 ? own : cases;
  }
  // The second contract of an equivocation was never accepted, so no table has its shortRef.
  const rivals = await tx.cases.list({ reason: 'equivocation' });
  return rivals.filter((one) => one.contractId !== undefined && shortRefOf(one.contractId) === id.toUpperCase());
}

async function contractOf(tx: Transaction, id: string): Promise<string | undefined> {
  return CONTRACT_ID.test(id) ? id.toLowerCase() : tx.cases.contractOfShortRef(id.toUpperCase());
}

function onlyOne(cases: readonly OperatorCase[], none: OperationRefused): OperatorCase {
  const [only, ...others] = cases;
  if (only === undefined) throw none;
  if (others.length === 0) return only;
  const ids = cases.map(({ id, reason }) => `${id} (${reason})`).join(', ');
  throw new OperationRefused('several_cases', `This contract has several open cases: name one of ${ids}.`);
}

const notFound = (): OperationRefused =>
  new OperationRefused('case_not_found', 'Nothing that waits for a person has this id.');
const nothingStuck = (): OperationRefused =>
  new OperationRefused('nothing_to_redrive', 'Nothing of this contract is stuck.');
