import { Alarms, type AlarmCode } from '@v402/application';
import type { Logger } from './log.js';

/** Alarms are log lines at level error with `alarm: <code>`, for whatever watches the logs. */
export class LogAlarms extends Alarms {
  constructor(private readonly log: Logger) {
    super();
  }

  override raise(code: AlarmCode, message: string, context: Readonly<Record<string, string | number>>): void {
    this.log.error({ alarm: code, ...context }, message);
  }
}
