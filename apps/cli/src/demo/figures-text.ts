import { styleText } from 'node:util';
import type { PublishedEvent } from '@v402/local-system';
import type { SeenTrade, SimulatedMessage } from '@v402/simulators';
import { list, table } from '../show/table.js';
import { orderLatencies, percentile } from './latency.js';
import type { TradeRecord } from './trade-through.js';

/** A figure: what must be, by what was sent, and what was found. */
type Figure = readonly [name: string, expected: number, found: number];
type Counts = ReadonlyMap<string, number>;

type Seen = SeenTrade & { readonly events: readonly PublishedEvent[] };

/** The figures of a trade: every `found` is read from the topics, the order book or the rows of the database. */
export function figuresText(messages: readonly SimulatedMessage[], seen: Seen, record: TradeRecord): string {
  const ends = outcomeFigures(messages, seen);
  const published = eventFigures(messages, seen);
  return [
    table('What became of the contracts', HEAD, ends.map(marked)),
    table('What was published', ['', 'expected', 'found', ''], published.map(marked)),
    '\n',
    list(measurements(seen, record)),
  ].join('');
}

const HEAD = ['', 'sent', 'found', ''];

function marked([name, expected, found]: Figure): readonly [string, number, number, string] {
  return [name, expected, found, expected === found ? styleText('green', '✓') : styleText('red', '✗')];
}

function outcomeFigures(messages: readonly SimulatedMessage[], { events, orders, ...books }: Seen): readonly Figure[] {
  const outcomes = messages.map(({ outcome }) => outcome);
  const count = (kind: SimulatedMessage['outcome']['kind']): number =>
    outcomes.filter((each) => each.kind === kind).length;
  const accepted = events.filter(({ type }) => type === 'org.v402.settlement.accepted.v1').length;
  const [duplicates, quarantined, refused] = [books.duplicates, books.quarantined, books.rejections].map(sum);
  const ordered = outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? outcome.orders : []));
  const refusals = countBy(outcomes.flatMap((outcome) => (outcome.kind === 'rejected' ? [outcome.code] : [])));
  const ends = { accepted, duplicates: duplicates ?? 0, refused: refused ?? 0, quarantined: quarantined ?? 0 };
  const all = Object.values(ends).reduce((total, each) => total + each, 0);
  const sideCount = (side: 'buyer' | 'seller', of: readonly { readonly side: string }[]): number =>
    of.filter((order) => order.side === side).length;
  return [
    ['messages', messages.length, all],
    ['accepted', count('accepted'), ends.accepted],
    ['duplicates, no effect', count('duplicate'), ends.duplicates],
    ['quarantined', count('quarantined'), ends.quarantined],
    ['refused', count('rejected'), ends.refused],
    ...figures(refusals, codesOf(books.rejections)).map(([name, ...counts]): Figure => [`  ${name}`, ...counts]),
    ['sales orders', sideCount('seller', ordered), sideCount('seller', orders)],
    ['purchase orders', sideCount('buyer', ordered), sideCount('buyer', orders)],
  ];
}

function eventFigures(messages: readonly SimulatedMessage[], { events }: Seen): readonly Figure[] {
  const nameOf = ({ type }: { readonly type: string }): string => type.replace(/^org\.v402\./, '');
  return figures(countBy(messages.flatMap((message) => message.events.map(nameOf))), countBy(events.map(nameOf)));
}

function measurements(
  { events }: Seen,
  { sentAtMs, memory }: TradeRecord,
): readonly (readonly [string, string | undefined])[] {
  const latencies = orderLatencies(sentAtMs, events);
  const [p50, p99] = [50, 99].map((percent) => percentile(latencies, percent));
  const latency = p50 === undefined || p99 === undefined ? undefined : `p50 ${p50} ms, p99 ${p99} ms`;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
  return [
    ['contract sent → order.created published', latency],
    [
      'memory of the standalone app',
      memory && `${megabytes(memory.residentBytes)} (peak ${megabytes(memory.peakBytes)})`,
    ],
  ];
}

function codesOf(rejections: Counts): Counts {
  const counts = new Map<string, number>();
  for (const [name, times] of rejections) {
    const code = name.slice(name.indexOf(':') + 1);
    counts.set(code, (counts.get(code) ?? 0) + times);
  }
  return counts;
}

function figures(expected: Counts, found: Counts): readonly Figure[] {
  const names = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return names.map((name): Figure => [name, expected.get(name) ?? 0, found.get(name) ?? 0]);
}

function countBy(names: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function sum(counts: Counts): number {
  return [...counts.values()].reduce((total, each) => total + each, 0);
}

const SHOWN = 20;

/** The verdict, and what differs. */
export function verdictText(differences: readonly string[]): string {
  if (differences.length === 0) {
    return `\n${styleText('green', 'Everything is exactly what was sent.')} Event ids are unique, sequences without gaps, totals as agreed.\n`;
  }
  const more = differences.length > SHOWN ? [`and ${differences.length - SHOWN} more`] : [];
  const lines = [...differences.slice(0, SHOWN), ...more].map((line) => `  ${line}\n`);
  return `\n${styleText('red', `${differences.length} differences:`)}\n${lines.join('')}`;
}
