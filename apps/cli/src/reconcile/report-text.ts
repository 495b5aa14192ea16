import type { ReconciliationReport } from '@v402/application';
import { list } from '../show/table.js';

const SENTENCES = {
  agrees: 'Everything agrees.',
  differs: 'Something differs.',
  unproven: 'Nothing differs as far as could be looked, but something could not be looked at.',
} as const;

/** A reconciliation for a person at a terminal. */
export function reportText(report: ReconciliationReport): string {
  const { outcome, from, to, startedAt, finishedAt, counts, differencesByCode } = report;
  const listed = report.differences.length;
  const total = Object.values(differencesByCode).reduce((sum, count) => sum + count, 0);
  return [
    `${SENTENCES[outcome]}\n\n`,
    list([
      ['window', `${from} to ${to}`],
      ['looked', `${startedAt} to ${finishedAt}`],
      ['acceptances', counts.acceptances],
      ['settlements', counts.settlements],
      ['accepted earlier', counts.earlierSettlements],
      ['orders', `${counts.ordersFound} of ${counts.orders} in the order system as agreed`],
      ['events', `${counts.eventsFound} of ${counts.events} on Kafka`],
      ['refusals', counts.refusals],
      ['messages', `${counts.messagesDecided} of ${counts.messages} decided`],
      ['in flight', counts.inFlight],
    ]),
    section(total > listed ? `Differences (the first ${listed} of ${total})` : 'Differences', report.differences),
    section('Not proven', report.unproven),
    section('Waiting for a person', report.attention),
  ].join('');
}

function section(
  title: string,
  findings: readonly { code: string; subject: string; detail?: string; action: string }[],
): string {
  if (findings.length === 0) return '';
  const byCode = Map.groupBy(findings, ({ code }) => code);
  const parts = [...byCode].map(([code, ofCode]) => {
    const lines = ofCode.map(({ subject, detail }) => `    ${subject}${detail === undefined ? '' : `  ${detail}`}\n`);
    return `  ${code}: ${ofCode[0]?.action ?? ''}\n${lines.join('')}`;
  });
  return `\n${title}\n${parts.join('')}`;
}
