import type { IntakeReport } from '@v402/application';
import { timed, type Metrics } from '@v402/observability';
import type { BacklogGate } from './backlog-gate.js';

const OUTCOMES = ['accepted', 'duplicates', 'rejected', 'quarantined', 'undecidable'] as const;

/** What happens around every batch: it is measured, and slowed down when the backlog grows. */
export class IntakeFlow {
  constructor(
    private readonly metrics: Metrics,
    private readonly gate: Pick<BacklogGate, 'took' | 'slowDown'>,
  ) {}

  async take(messages: number, decide: () => Promise<IntakeReport>): Promise<void> {
    const { metrics } = this;
    metrics.observe('v402_intake_batch_messages', {}, messages);
    const report = await timed(
      decide,
      () => 'committed',
      (outcome, seconds) => {
        metrics.observe('v402_intake_batch_duration_seconds', { outcome }, seconds);
      },
    );
    for (const outcome of OUTCOMES) metrics.count('v402_intake_messages_total', { outcome }, report[outcome]);
    for (const [code, count] of report.refusals) metrics.count('v402_intake_refusals_total', { code }, count);
    this.gate.took(report);
    await this.gate.slowDown();
  }
}
