import { createHash } from 'node:crypto';
import { compareDecimals } from '@v402/domain';
import { APPROVAL_OVER } from '../system/acted-on.js';
import type { AuditRow, Seen } from './seen.js';
import type { Violation } from './violation.js';

const NO_DIGEST = '0'.repeat(64);

/** Actions that decide a case. A request for a second person decides nothing. */
const DECIDING: ReadonlySet<string> = new Set(['release', 'reject', 'redrive', 'approve_release']);

/** What becomes of a case by an action that decides it. */
const resolutionBy = ({ action, details }: AuditRow): string | undefined =>
  action === 'approve_release' ? details['approved'] : action;

/** Whether what operators did is written down: each decision once, by whom it may be, in a chain that nobody has changed. */
export function checkAudit(seen: Seen): readonly Violation[] {
  return [...chain(seen.audit), ...decisions(seen), ...secondPersons(seen.audit), ...alone(seen)];
}

function* chain(entries: readonly AuditRow[]): Generator<Violation> {
  let [due, previous] = [1, NO_DIGEST];
  for (const entry of entries) {
    if (entry.sequence !== String(due)) yield wrong(`entry ${entry.sequence} stands where ${due} was due`);
    if (entry.previous !== previous) yield wrong(`entry ${entry.sequence} does not name the digest of the one before`);
    if (entry.digest !== digestOf(entry)) yield wrong(`entry ${entry.sequence} is not what its digest says`);
    due = Number(entry.sequence) + 1;
    previous = entry.digest;
  }
}

/** SHA-256 over the RFC 8785 form, as docs/operations-quarantine.md says: all texts, so sorted members are all it takes. */
function digestOf({
  sequence,
  at,
  actor,
  login,
  action,
  subject,
  contractId,
  reason,
  details,
  previous,
}: AuditRow): string {
  const members = { sequence, at, actor, login, action, subject, contractId, reason, previous };
  const canonical = JSON.stringify(sorted({ ...members, details: sorted(details) }));
  return createHash('sha256').update(canonical).digest('hex');
}

const sorted = <T>(members: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(members).sort(([one], [other]) => (one < other ? -1 : 1)));

/** Each case that is resolved has one entry that resolves it, and each such entry a case that it resolved. */
function* decisions({ audit, quarantine, holds }: Seen): Generator<Violation> {
  const withEntry = new Set(quarantine.map(({ holdId }) => holdId));
  const cases = new Map(
    [...quarantine, ...holds.filter(({ id }) => !withEntry.has(id))].map(({ id, reason, resolution }) => [
      id,
      { reason, resolution },
    ]),
  );
  const deciding = Map.groupBy(
    audit.filter(({ action }) => DECIDING.has(action)),
    ({ subject }) => subject,
  );
  for (const [id, { reason, resolution }] of cases) {
    const entries = deciding.get(id) ?? [];
    const due = resolution === null ? 0 : 1;
    if (entries.length !== due) {
      yield wrong(`${reason} ${id} is ${resolution ?? 'open'}, and was decided ${entries.length} times`);
    }
    if (resolution === null) continue;
    for (const entry of entries) {
      if (resolutionBy(entry) === resolution) continue;
      yield wrong(`${reason} ${id} is ${resolution}, and ${entry.actor} did ${entry.action}`);
    }
  }
  for (const id of deciding.keys()) if (!cases.has(id)) yield wrong(`somebody decided ${id}, which is no case`);
}

function* secondPersons(audit: readonly AuditRow[]): Generator<Violation> {
  for (const { action, actor, subject, details } of audit) {
    if (action !== 'approve_release' || details['requestedBy'] !== actor) continue;
    yield wrong(`${actor} approved what ${actor} asked for: ${subject}`);
  }
}

/** What is over the limit nobody releases alone. */
function* alone({ audit, settlements }: Seen): Generator<Violation> {
  const totals = new Map(settlements.map(({ contractId, total }) => [contractId, total]));
  for (const { action, actor, contractId } of audit) {
    const total = totals.get(contractId ?? '');
    if (action !== 'release' || total === undefined || compareDecimals(total, APPROVAL_OVER) <= 0) continue;
    yield wrong(`${actor} released ${contractId ?? '?'} over ${total} alone`);
  }
}

const wrong = (text: string): Violation => ({ check: 'audit', text });
