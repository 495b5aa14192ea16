import { randomUUID } from 'node:crypto';
import type { InboundMessage } from '@v402/application';
import type { ContractDraft } from '@v402/contract';
import type { Side } from '@v402/domain';
import { BackOffice } from './back-office.js';
import { expectEvidence } from './evidence.js';
import { variant, type AgreedTrade } from './intake-scene.js';
import { Operator } from './operator.js';

interface Conflict {
  readonly first: AgreedTrade;
  readonly second: AgreedTrade;
}

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

  /** Two contracts that both parties signed for one negotiation; the first was accepted. */
  async conflict(): Promise<Conflict> {
    const negotiationId = randomUUID();
    const first = await this.office.accept({ negotiationId });
    const second = variant('second', { negotiationId, agreedAt: first.contract.agreedAt });
    expect(await this.office.scene.handler.handle([this.arrived(second)])).toMatchObject({ quarantined: 1 });
    return { first, second };
  }

  /** The message that brings a contract as soon as it is agreed. */
  arrived({ envelope, contract }: AgreedTrade): InboundMessage {
    return this.office.scene.message(envelope, { arrival: { at: contract.agreedAt, source: 'broker' } });
  }

  /** The parties sign an amendment, and intake takes it in for the given sides. */
  async amend(base: AgreedTrade, draft: ContractDraft = {}, sides: readonly Side[] = ['seller']): Promise<AgreedTrade> {
    const { negotiationId, agreedAt, parties } = base.contract;
    const amendment = variant(randomUUID(), { negotiationId, agreedAt, supersedes: base.contractId, ...draft });
    const intake = this.office.scene.handlerWith({ policy: { servedParties: sides.map((side) => parties[side].id) } });
    expect(await intake.handle([this.arrived(amendment)])).toMatchObject({ accepted: 1 });
    return amendment;
  }

  async settlementOf(trade: AgreedTrade): Promise<unknown> {
    const sql = 'SELECT state, current FROM v402.settlement WHERE contract_id = $1';
    return (await this.office.sql(sql, keyOf(trade)))[0];
  }
}

export const keyOf = ({ contractId }: Pick<AgreedTrade, 'contractId'>): Buffer => Buffer.from(contractId, 'hex');

export const refusal = (code: string): object => expect.objectContaining({ name: 'OperationRefused', code }) as object;
