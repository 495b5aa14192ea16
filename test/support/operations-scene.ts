import { BackOffice } from './back-office.js';
import { expectEvidence } from './evidence.js';
import type { AgreedTrade } from './intake-scene.js';
import { Operator } from './operator.js';

/** Two operators at work on what got stuck in an office. When it closes, the evidence of every contract must verify. */
export class OperationsScene {
  /** Contracts whose rows a test has changed by hand: their evidence rightly fails. */
  readonly forged = new Set<string>();

  private constructor(
    readonly office: BackOffice,
    readonly operator: Operator,
    /** With a database login of his own. */
    readonly peter: Operator,
  ) {}

  static async open(): Promise<OperationsScene> {
    const office = await BackOffice.open();
    const url = office.database.secondOperatorUrl;
    return new OperationsScene(office, new Operator(office.scene), new Operator(office.scene, { url }));
  }

  async close(): Promise<void> {
    await expectEvidence(this.office.scene, this.forged);
    await this.operator.close();
    await this.peter.close();
    await this.office.close();
  }

  async settlementOf(trade: AgreedTrade): Promise<unknown> {
    const sql = 'SELECT state, current FROM v402.settlement WHERE contract_id = $1';
    return (await this.office.sql(sql, keyOf(trade)))[0];
  }
}

export const keyOf = ({ contractId }: Pick<AgreedTrade, 'contractId'>): Buffer => Buffer.from(contractId, 'hex');

export const refusal = (code: string): object => expect.objectContaining({ name: 'OperationRefused', code }) as object;
