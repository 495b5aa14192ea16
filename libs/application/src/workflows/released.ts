import type { Micros } from '@v402/domain';

/** What a release has done to a row, and when to look at it next. */
export interface Released<Row> {
  readonly row: Row;
  /** `blocked`: until a person has added what is missing. */
  readonly next: 'done' | 'blocked' | Micros;
}
