import type { Instant } from './time.js';

/** The party of a contract that a document, a payment or a delivery is handled for. */
export type Side = 'buyer' | 'seller';
export const SIDES: readonly Side[] = ['buyer', 'seller'];

/** An exact decimal as text, `-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?` (section 3). Never a float. */
export type DecimalText = string;
/** Lowercase hex SHA-256 of the canonical form of a contract: 64 characters (section 2). */
export type ContractId = string;
/** Calendar date, `YYYY-MM-DD`. */
export type CalendarDate = string;

export interface Party {
  readonly id: string;
  readonly name?: string;
}

export interface Line {
  readonly id: string;
  readonly sku: string;
  readonly description?: string;
  readonly quantity: DecimalText;
  /** UN/ECE recommendation 20 unit code. */
  readonly unit: string;
  readonly unitPrice: DecimalText;
  /** The quantity that `unitPrice` is the price of; 1 if absent. */
  readonly priceBasis?: DecimalText;
  readonly amount: DecimalText;
}

export const CHARGE_TYPES = ['freight', 'tax', 'discount', 'other'] as const;
export type ChargeType = (typeof CHARGE_TYPES)[number];

export interface Charge {
  readonly id: string;
  readonly type: ChargeType;
  readonly amount: DecimalText;
  /** Percent; tax only. */
  readonly rate?: DecimalText;
  /** UNCL 5305 code; tax only. */
  readonly category?: string;
}

export interface ShipTo {
  readonly name: string;
  readonly street?: string;
  readonly city?: string;
  readonly postalCode?: string;
  readonly region?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

export interface DeliveryItem {
  readonly line: string;
  readonly quantity: DecimalText;
}

export interface AgreedDelivery {
  readonly id: string;
  readonly notBefore: CalendarDate;
  readonly notAfter: CalendarDate;
  readonly items: readonly DeliveryItem[];
}

export const RAILS = ['x402', 'sepa', 'ach', 'invoice', 'card', 'escrow', 'external'] as const;
export type Rail = (typeof RAILS)[number];

export const TRIGGERS = ['agreed', 'ordered', 'shipped', 'delivered'] as const;
export type Trigger = (typeof TRIGGERS)[number];

export interface X402Target {
  /** CAIP-2 chain id. */
  readonly network: string;
  readonly asset: string;
  readonly payTo: string;
}

export interface AgreedLeg {
  readonly id: string;
  readonly amount: DecimalText;
  readonly rail: Rail;
  readonly trigger: Trigger;
  /** Calendar days added to the trigger's UTC date. */
  readonly days: number;
  /** Present exactly where `rail` is `x402`. */
  readonly x402?: X402Target;
}

export interface Terms {
  /** ISO 4217. */
  readonly currency: string;
  readonly lines: readonly Line[];
  readonly charges?: readonly Charge[];
  readonly total: DecimalText;
  readonly delivery: {
    readonly incoterm?: string;
    readonly place?: string;
    readonly shipTo?: ShipTo;
    readonly schedule: readonly AgreedDelivery[];
  };
  readonly payment: { readonly schedule: readonly AgreedLeg[] };
  readonly dispute: { readonly windowDays: number; readonly method: string; readonly venue?: string };
}

export const STRATEGIES = ['fixed', 'bounded', 'adaptive'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** The signed part of a settlement contract (section 1). */
export interface SettlementContract {
  readonly spec: 'v402-settlement/1';
  readonly negotiationId: string;
  readonly audience?: string;
  readonly supersedes?: ContractId;
  readonly parties: { readonly buyer: Party; readonly seller: Party };
  readonly terms: Terms;
  readonly negotiation: {
    readonly strategies: { readonly buyer: Strategy; readonly seller: Strategy };
    readonly rounds: number;
    readonly messageCount: number;
    readonly transcriptHash: string;
  };
  readonly agreedAt: Instant;
  readonly expiresAt: Instant;
  readonly extensions?: Readonly<Record<string, string>>;
}
