import { CHARGE_TYPES, RAILS, TRIGGERS } from '@v402/domain';
import { z } from 'zod';
import { calendarDate, currency, decimal, PERSONAL, unit } from './common.js';

/** The agreed terms as the contract has them (contract format, section 1). */

const line = z
  .strictObject({
    id: z.string(),
    sku: z.string(),
    description: z.string().optional(),
    quantity: decimal,
    unit,
    unitPrice: decimal,
    priceBasis: decimal.optional().meta({ description: 'The quantity that `unitPrice` is the price of; 1 if absent.' }),
    amount: decimal,
  })
  .meta({ id: 'Line', description: 'Amounts are in the currency of the terms.' });

const charge = z
  .strictObject({
    id: z.string(),
    type: z.enum(CHARGE_TYPES),
    amount: decimal,
    rate: decimal.optional().meta({ description: 'Percent; tax only.' }),
    category: z.string().optional().meta({ description: 'UNCL 5305 code; tax only.' }),
  })
  .meta({ id: 'Charge', description: 'Amounts are in the currency of the terms; a discount is negative.' });

export const lines = z.array(line);
export const charges = z.array(charge);

export const shipTo = z
  .strictObject({
    name: z.string().meta(PERSONAL),
    street: z.string().optional().meta(PERSONAL),
    city: z.string().optional().meta(PERSONAL),
    postalCode: z.string().optional().meta(PERSONAL),
    region: z.string().optional().meta(PERSONAL),
    country: z.string().meta({ description: 'ISO 3166-1 alpha-2.' }),
  })
  .meta({ id: 'ShipTo' });

export const incoterm = z.string().meta({ description: 'Incoterms 2020 code.' });
export const place = z.string().meta({ description: 'The named place of the incoterm.' });

const agreedDelivery = z
  .strictObject({
    id: z.string(),
    notBefore: calendarDate,
    notAfter: calendarDate,
    items: z.array(z.strictObject({ line: z.string().meta({ description: 'The id of a line.' }), quantity: decimal })),
  })
  .meta({ id: 'AgreedDelivery' });

export const rail = z.enum(RAILS).meta({ id: 'Rail', description: 'How a leg is paid.' });
export const triggerKind = z.enum(TRIGGERS);
export const triggerDays = z.int().min(0).meta({ description: 'Calendar days added to the UTC date of the trigger.' });

export const x402Target = z
  .strictObject({
    network: z.string().meta({ description: 'CAIP-2 chain id.' }),
    asset: z.string(),
    payTo: z.string().meta(PERSONAL),
  })
  .meta({ id: 'X402Target', description: 'Present exactly where the rail is x402.' });

const agreedLeg = z
  .strictObject({
    id: z.string(),
    amount: decimal,
    rail,
    trigger: triggerKind,
    days: triggerDays,
    x402: x402Target.optional(),
  })
  .meta({ id: 'AgreedLeg' });

const dispute = z.strictObject({ windowDays: z.int().min(0), method: z.string(), venue: z.string().optional() });

export const terms = z
  .strictObject({
    currency,
    lines,
    charges: charges.optional(),
    total: decimal,
    delivery: z.strictObject({
      incoterm: incoterm.optional(),
      place: place.optional(),
      shipTo: shipTo.optional(),
      schedule: z.array(agreedDelivery),
    }),
    payment: z.strictObject({ schedule: z.array(agreedLeg) }),
    dispute,
  })
  .meta({ id: 'Terms', description: 'The terms exactly as signed.' });
