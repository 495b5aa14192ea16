import type { AlarmCode } from '../ports/alarm-codes.js';
import type { StandingFigures } from '../ports/backlog-store.js';
import type { WorkKind } from '../ports/work-store.js';

/** Something that stands still and that only a person can set going. */
export interface Finding {
  readonly code: AlarmCode;
  /** Tells one finding from the other of the same code. */
  readonly key: string;
  /** Grows when something new belongs to it: then it is another situation, and is said again. */
  readonly extent: bigint;
  readonly message: string;
  readonly context: Readonly<Record<string, string | number>>;
}

interface Limits {
  readonly overdueMs: number;
  readonly attentionMs: number;
}

const KINDS = ['order', 'payment_leg', 'delivery'] as const satisfies readonly WorkKind[];

const seconds = (ms: number): number => Math.round(ms / 1_000);

/** What the figures show to stand still longer than it may. */
export function overdueFindings(figures: StandingFigures, { overdueMs, attentionMs }: Limits): readonly Finding[] {
  const findings: Finding[] = [];
  const find = (code: AlarmCode, about: string, message: string, context: Finding['context'], extent = 0n): void => {
    findings.push({ code, key: `${code} ${about}`, extent, message, context });
  };
  for (const kind of KINDS) {
    const { due, oldestMs } = figures.work[kind];
    if (oldestMs <= overdueMs) continue;
    const message = 'Work is due and nobody takes it: is its role running, and is it ready?';
    find('work_overdue', kind, message, { kind, due, oldestSeconds: seconds(oldestMs) });
  }
  const { unknownOrders, events, unownedShards, parkedStreams } = figures;
  if (unknownOrders.oldestMs > overdueMs) {
    const message = 'It is not known whether orders exist, and looking them up does not tell.';
    const { open, oldestMs } = unknownOrders;
    find('order_outcome_overdue', '', message, { open, oldestSeconds: seconds(oldestMs) });
  }
  const isLate = events.oldestMs > overdueMs;
  if (isLate) {
    const message = 'Events wait to be published: is a relay running, and is it ready?';
    find('events_overdue', '', message, { waiting: events.waiting, oldestSeconds: seconds(events.oldestMs) });
  }
  if (isLate && unownedShards > 0) {
    find('shards_unowned', '', 'Nobody publishes the events of these shards: no relay is alive.', { unownedShards });
  }
  if (parkedStreams > 0) {
    const message = 'Streams wait for an operator, because Kafka will never take their next event.';
    find('streams_parked', '', message, { parkedStreams }, BigInt(parkedStreams));
  }
  for (const { kind, code, open } of figures.blocked) {
    const message = 'Payments or deliveries are blocked, until somebody has done something about it.';
    find('obligations_blocked', `${kind} ${code}`, message, { kind, reason: code, open }, BigInt(open));
  }
  for (const [reason, { open, oldestMs, newestAt }] of figures.quarantine) {
    if (oldestMs <= attentionMs) continue;
    const message = 'Cases have waited long for a person.';
    find('quarantine_unattended', reason, message, { reason, open, oldestSeconds: seconds(oldestMs) }, newestAt);
  }
  return findings;
}
