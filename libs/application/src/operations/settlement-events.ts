import { TerminalError, type ContractId } from '@v402/domain';
import { contractOf } from '../contract-of.js';
import { settlementMembers, type SettlementMembers } from '../events/members.js';
import { SettlementStream, type EventNaming } from '../events/settlement-stream.js';
import { writeStreams } from '../events/write-streams.js';
import type { CaseResolution, OperatorCase } from '../ports/case-store.js';
import type { SettlementRecord } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';

/** A settlement that is about to tell of something. */
export interface TellingSettlement {
  readonly settlement: SettlementRecord;
  readonly members: SettlementMembers;
  readonly stream: SettlementStream;
}

/** Appends events to the stream of one settlement, where it stands now: others of the transaction may have moved it. */
export async function tellOf(
  tx: Transaction,
  naming: EventNaming,
  contractId: ContractId,
  tell: (telling: TellingSettlement) => void,
): Promise<void> {
  const [settlement] = await tx.settlements.lock([contractId]);
  if (settlement === undefined) {
    throw new TerminalError('settlement_missing', 'An event is about a settlement that exists.', { contractId });
  }
  const contract = contractOf(settlement);
  const { traceparent, position } = settlement;
  const owner = { contractId, negotiationId: contract.negotiationId, traceparent, position };
  const stream = new SettlementStream(naming, owner, await tx.now());
  tell({ settlement, members: settlementMembers(settlement, contract), stream });
  await writeStreams(tx, [[contractId, stream]]);
}

/** Releases the hold of a case, and says so where the hold was announced. The deal's other holds stay. */
export async function releaseHold(
  tx: Transaction,
  naming: EventNaming,
  { hold, reason }: OperatorCase,
  resolution: CaseResolution,
  actor: string,
): Promise<void> {
  // A parked stream and a message that could not be decided hold nothing.
  if (hold?.isOpen !== true || reason === 'stream_parked' || reason === 'undecidable_message') return;
  await tx.cases.releaseHold(hold.id, resolution, actor);
  await tellOf(tx, naming, hold.contractId, ({ stream, members }) => {
    const placed = stream.idOf('org.v402.hold.placed.v1', { subjectId: hold.id, n: 1 });
    stream.append(
      'org.v402.hold.released.v1',
      { subjectId: hold.id, n: 1, causedBy: placed },
      { ...members, holdId: hold.id, reason, resolution },
    );
  });
}
