import { z } from 'zod';
import { defineEvent } from '../definition.js';
import {
  attempt,
  calendarDate,
  decimal,
  idempotencyKeyMember,
  settlementMembers,
  side,
  unit,
} from '../members/common.js';
import { orderReference } from '../members/order.js';
import { incoterm, place, shipTo } from '../members/terms.js';

const item = z
  .strictObject({
    line: z.string().meta({ description: 'The id of the line in the contract.' }),
    sku: z.string(),
    description: z.string().optional(),
    quantity: decimal.meta({ description: 'Of this delivery, not of the line.' }),
    unit,
  })
  .meta({ id: 'DeliveryItem' });

export const deliveryRequested = defineEvent({
  name: 'delivery.requested',
  version: 1,
  topic: 'deliveries',
  description:
    'The order exists: deliver within the agreed window. The members follow a UBL despatch advice. For the buyer it says what to expect.',
  actor:
    'Where `role` is shipper, the warehouse ships, once per `idempotencyKey`. Where it is receiver, goods receipt expects it.',
  schema: z.strictObject({
    ...settlementMembers,
    side,
    role: z.enum(['shipper', 'receiver']).meta({ description: 'What this side is in the delivery: the seller ships.' }),
    deliveryId: z.string().min(1).meta({ description: 'The id of the delivery in the contract.' }),
    deliveryNumber: z.int().min(1).max(1000).meta({ description: 'Its place in the agreed schedule, from 1.' }),
    attempt,
    items: z.array(item).min(1),
    window: z.strictObject({ notBefore: calendarDate, notAfter: calendarDate }),
    shipTo: shipTo.optional().meta({ description: 'Absent for services and digital goods.' }),
    incoterm: incoterm.optional(),
    place: place.optional(),
    orderReference,
    idempotencyKey: idempotencyKeyMember,
  }),
});
