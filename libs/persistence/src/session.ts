import { TerminalError } from '@v402/domain';
import type { ClientBase, QueryResult, QueryResultRow } from 'pg';
import { classify } from './pg-errors.js';

type Scalar = string | number | bigint | boolean | Buffer | null;
export type SqlValue = Scalar | readonly Scalar[];

/** Named, a statement is parsed and planned once per connection. All texts are constants, so there are a few dozen names. */
const names = new Map<string, string>();

function nameOf(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) {
    name = `v402_${names.size}`;
    names.set(sql, name);
  }
  return name;
}

/** The statements of one transaction on one connection. Errors come out classified. */
export class Session {
  #over = false;

  constructor(private readonly client: ClientBase) {}

  /**
   * Runs one statement. Where its first value is an empty list it concerns nothing and is not sent.
   *
   * @throws RetryableError, TerminalError as `classify` says; TerminalError `transaction_over`
   */
  async query<Row extends QueryResultRow>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return isEmptyList(values[0]) ? [] : (await this.#send<Row>(sql, values)).rows;
  }

  /** As `query`, for statements that return nothing. @returns how many rows were written */
  async write(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    return isEmptyList(values[0]) ? 0 : ((await this.#send(sql, values)).rowCount ?? 0);
  }

  /**
   * As `write`, for statements that must find a row for each of `inputs`.
   *
   * @throws TerminalError `row_missing` when one found none: what it had to store would be lost
   */
  async writeEach(sql: string, inputs: readonly unknown[], values: readonly SqlValue[]): Promise<void> {
    const written = await this.write(sql, values);
    if (written === inputs.length) return;
    throw new TerminalError('row_missing', 'A row that was to be changed is not there.', {
      expected: inputs.length,
      written,
    });
  }

  /** Refuses every statement from here on: the connection belongs to the next transaction. */
  end(): void {
    this.#over = true;
  }

  async #send<Row extends QueryResultRow>(sql: string, values: readonly SqlValue[]): Promise<QueryResult<Row>> {
    if (this.#over) {
      throw new TerminalError('transaction_over', 'A statement was sent after its transaction had ended.');
    }
    try {
      return await this.client.query<Row>({ name: nameOf(sql), text: sql, values: [...values] });
    } catch (error) {
      throw classify(error);
    }
  }
}

const isEmptyList = (value: SqlValue | undefined): boolean => Array.isArray(value) && value.length === 0;

/** One array per column, as `unnest` takes them. */
export function columns<Input>(inputs: readonly Input[], ...picks: readonly ((input: Input) => Scalar)[]): Scalar[][] {
  return picks.map((pick) => inputs.map(pick));
}
