import type { z } from 'zod';
import type { EventDefinition } from './definition.js';
import { contractQuarantined } from './events/contract-quarantined.event.js';
import { contractRejected } from './events/contract-rejected.event.js';
import { deliveryRequested } from './events/delivery-requested.event.js';
import { holdPlaced } from './events/hold-placed.event.js';
import { holdReleased } from './events/hold-released.event.js';
import { invoiceRequested } from './events/invoice-requested.event.js';
import { orderChanged } from './events/order-changed.event.js';
import { orderCreated } from './events/order-created.event.js';
import { orderOutcomeUnknown } from './events/order-outcome-unknown.event.js';
import { orderRejected } from './events/order-rejected.event.js';
import { paymentRequested } from './events/payment-requested.event.js';
import { paymentScheduled } from './events/payment-scheduled.event.js';
import { settlementAccepted } from './events/settlement-accepted.event.js';
import { settlementSuperseded } from './events/settlement-superseded.event.js';

/** Every event that is published, in the order in which the documentation lists them. */
export const CATALOGUE = {
  [settlementAccepted.type]: settlementAccepted,
  [settlementSuperseded.type]: settlementSuperseded,
  [holdPlaced.type]: holdPlaced,
  [holdReleased.type]: holdReleased,
  [orderCreated.type]: orderCreated,
  [orderChanged.type]: orderChanged,
  [orderRejected.type]: orderRejected,
  [orderOutcomeUnknown.type]: orderOutcomeUnknown,
  [paymentScheduled.type]: paymentScheduled,
  [paymentRequested.type]: paymentRequested,
  [invoiceRequested.type]: invoiceRequested,
  [deliveryRequested.type]: deliveryRequested,
  [contractRejected.type]: contractRejected,
  [contractQuarantined.type]: contractQuarantined,
} as const satisfies Record<string, EventDefinition>;

/** The CloudEvents `type` of an event that is published. */
export type EventType = keyof typeof CATALOGUE;

export const EVENT_TYPES = Object.keys(CATALOGUE) as readonly EventType[];

/** The `data` of an event. Callers only read what they pass, so readonly documents fit. */
export type DataOf<T extends EventType> = DeepReadonly<z.input<(typeof CATALOGUE)[T]['schema']>>;

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
