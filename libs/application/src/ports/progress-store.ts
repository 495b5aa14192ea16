import type {
  CalendarDate,
  ContractId,
  DecimalText,
  DeliveryState,
  Micros,
  OrderPlacementState,
  PaymentLegState,
  Rail,
  Side,
  Trigger,
} from '@v402/domain';

export interface OrderPlacementKey {
  readonly contractId: ContractId;
  readonly side: Side;
}

export interface OrderPlacement extends OrderPlacementKey {
  readonly state: OrderPlacementState;
  /** Intents recorded so far. */
  readonly attempt: number;
  /** How often the outcome became unknown. */
  readonly unknowns: number;
  readonly lookUpNotBefore: Micros | undefined;
  readonly orderSystem: string | undefined;
  readonly orderNumber: string | undefined;
  readonly orderUrl: string | undefined;
  readonly code: string | undefined;
  readonly orderedAt: Micros | undefined;
  /** How often an operator had it tried again after it had come to an end. */
  readonly redrives: number;
  /** Of `unknowns`, how many it had when an operator last had it tried again: they count no more. */
  readonly unknownsBefore: number;
  /** The contract whose order stands for this one too. */
  readonly adoptedFrom: ContractId | undefined;
}

export interface PaymentLegKey extends OrderPlacementKey {
  readonly legId: string;
}

export interface PaymentLeg extends PaymentLegKey {
  /** Place in the agreed schedule, from 1. */
  readonly number: number;
  readonly state: PaymentLegState;
  readonly attempt: number;
  readonly trigger: Trigger;
  readonly days: number;
  readonly rail: Rail;
  readonly amount: DecimalText;
  readonly currency: string;
  readonly triggeredAt: Micros | undefined;
  readonly dueDate: CalendarDate | undefined;
  readonly code: string | undefined;
}

export interface DeliveryKey extends OrderPlacementKey {
  readonly deliveryId: string;
}

export interface DeliveryRow extends DeliveryKey {
  readonly number: number;
  readonly state: DeliveryState;
  readonly attempt: number;
  readonly notBefore: CalendarDate;
  readonly notAfter: CalendarDate;
  /** Why the delivery is blocked. */
  readonly code: string | undefined;
}

/** All methods expect the settlement's lock; `save` raises each row's revision. */
interface ProgressStore<Row> {
  insert(rows: readonly Row[]): Promise<void>;
  /** All rows of these settlements. */
  ofSettlements(ids: readonly ContractId[]): Promise<readonly Row[]>;
  save(rows: readonly Row[]): Promise<void>;
}

/** `save` leaves `redrives`, `unknownsBefore` and `adoptedFrom` alone: only operators change them. */
export interface OrderPlacementStore extends ProgressStore<OrderPlacement> {
  /** Stores the state, the moment of the look-up and `redrives`; the count of unknown outcomes begins anew. */
  redrive(rows: readonly OrderPlacement[]): Promise<void>;
  adopt(rows: readonly OrderPlacement[]): Promise<void>;
}
export type PaymentLegStore = ProgressStore<PaymentLeg>;
export type DeliveryStore = ProgressStore<DeliveryRow>;
