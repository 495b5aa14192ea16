import type { Approval, CaseDocument, ListedCase, ShownCase } from '@v402/application';
import { readEnvelope } from '@v402/contract';
import { instantOfMicros, printableJson } from '@v402/domain';
import { list, table } from '../show/table.js';
import { textOfBytes } from './text-of-bytes.js';

/** What waits for a person, one line each. */
export function casesText(cases: readonly ListedCase[]): string {
  if (cases.length === 0) return 'Nothing waits for a person.\n';
  return table(
    `${cases.length} ${cases.length === 1 ? 'case' : 'cases'}`,
    ['id', 'reason', 'code', 'contract', 'side', 'amount', 'since', 'hold', 'state'],
    cases.map((one) => [
      one.id,
      one.reason,
      one.code,
      one.shortRef,
      one.side,
      one.total === undefined ? undefined : `${one.total.amount} ${one.total.currency}`,
      instantOfMicros(one.since).slice(0, 19),
      holdOf(one),
      stateOf(one),
    ]),
  ).trimStart();
}

const holdOf = ({ hold }: ListedCase): string => (hold === undefined ? 'none' : hold.isOpen ? 'open' : 'released');

const STATES = { release: 'released', reject: 'rejected', redrive: 'redriven' } as const;

/** What a second person is asked for, as one would type it. */
const askedOf = ({ action, orderChanged }: Approval): string => (orderChanged ? `${action} --order-changed` : action);

const stateOf = ({ resolution, pending }: ListedCase): string =>
  (resolution && STATES[resolution]) ??
  (pending === undefined ? 'open' : `${askedOf(pending)} waits for approval, asked by ${pending.requestedBy}`);

/** One case with all that a person decides on. */
export function caseText(one: ShownCase): string {
  return [
    list([
      ['id', one.id],
      ['reason', one.reason],
      ['code', one.code],
      ['contractId', one.contractId],
      ['shortRef', one.shortRef],
      ['other contract', one.otherContractId],
      ['side', one.side],
      ['since', instantOfMicros(one.since)],
      ['occurrences', one.occurrences],
      ['hold', one.hold === undefined ? 'none' : `${one.hold.id} (${holdOf(one)})`],
      ['state', stateOf(one)],
      ['resolved by', one.resolvedBy],
    ]),
    ...one.documents.map(documentText),
    table(
      'Approvals',
      ['id', 'asked for', 'asked by', 'reason', 'outcome', 'decided by'],
      one.approvals.map((each) => [
        each.id,
        askedOf(each),
        each.requestedBy,
        each.reason,
        each.outcome ?? 'pending',
        each.decidedBy,
      ]),
    ),
    table(
      'What has been done',
      ['entry', 'at', 'actor', 'login', 'action', 'reason'],
      one.audit.map((e) => [e.sequence, instantOfMicros(e.at), e.actor, e.login, e.action, e.reason]),
    ),
  ].join('');
}

function documentText({ what, contractId, canonical, raw, decisions }: CaseDocument): string {
  const title = `\n=== The ${what}${contractId === undefined ? '' : ` ${contractId}`} ===\n`;
  const accepted = canonical === undefined ? '' : `Canonical form, as it was signed:\n${textOfBytes(canonical)}\n`;
  const bytes = raw === undefined ? undefined : canonical === undefined ? raw.bytes : signaturesOf(raw.bytes);
  const kept = raw === undefined || bytes === undefined ? '' : `${rawTitle(raw)}\n${textOfBytes(bytes)}\n`;
  const decided = table(
    'Decisions',
    ['outcome', 'code', 'message', 'arrival', 'registry digest', 'decided at'],
    decisions.map((each) => [
      each.outcome,
      each.code,
      `${each.coordinates.topic}/${each.coordinates.partition}/${each.coordinates.offset.toString()}`,
      `${each.arrival.at} (${each.arrival.source})`,
      each.registryDigest.slice(0, 16),
      instantOfMicros(each.decidedAt),
    ]),
  );
  const keys = decisions
    .map(({ keys: used }) => printableJson(JSON.stringify(used, null, 2)))
    .filter((text) => text !== '[]');
  const entries = keys.length === 0 ? '' : `Key entries at the decision:\n${keys.join('\n')}\n`;
  return `${title}${accepted}${kept}${decided}${entries}`;
}

/** Of an accepted message the contract is shown in its canonical form already. */
function signaturesOf(bytes: Uint8Array): Uint8Array {
  const read = readEnvelope(bytes);
  if (!read.ok) return bytes;
  const { signatures } = read.identified.envelope;
  return Buffer.from(JSON.stringify({ signatures }));
}

const rawTitle = ({ digest, size, truncated }: NonNullable<CaseDocument['raw']>): string =>
  `The message as it came (SHA-256 ${digest}, ${size} bytes${truncated ? ', only its beginning was kept' : ''}):`;
