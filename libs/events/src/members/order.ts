import { z } from 'zod';
import { attempt, settlementMembers, side } from './common.js';

export const reference = z.string().min(1).meta({
  description: 'What the order system stores as our reference: the shortRef of the first contract of the deal.',
});

const orderSystem = z.string().min(1).meta({ description: 'The order system, by its adapter’s name.' });
const orderNumber = z.string().min(1).meta({ description: 'The order system’s own number.' });

export const placedOrder = {
  orderNumber,
  url: z.url().optional().meta({ description: 'Where a person can open the order.' }),
};

/** The members that say which order an event is about. */
export const orderIdentity = {
  ...settlementMembers,
  side,
  orderSystem,
  kind: z.enum(['sales_order', 'purchase_order']).meta({ description: 'The seller’s or the buyer’s document.' }),
  reference,
};

/** The members with which every event about the placing of an order begins. */
export const orderMembers = { ...orderIdentity, attempt };

export const orderReference = z
  .strictObject({ orderSystem, reference, orderNumber })
  .meta({ id: 'OrderReference', description: 'The order that this belongs to.' });
