import type { ContractId, SettlementContract, Side } from '@v402/domain';

/** A seller's handler writes a sales order, a buyer's handler a purchase order. */
export type OrderKind = 'sales_order' | 'purchase_order';

export const orderKindOf = (side: Side): OrderKind => (side === 'seller' ? 'sales_order' : 'purchase_order');

/**
 * How we find an order again. `reference` is a label of 26 characters that the order system stores; two contracts could
 * in principle share it, so whoever looks up by it compares the contractId that comes back.
 */
export interface OrderReference {
  readonly kind: OrderKind;
  /** `shortRef` of the first contract of the deal's chain: an amendment keeps its order's reference. */
  readonly reference: string;
}

/** What the order system is asked to create: the agreed terms of one contract, for one side. */
export interface OrderDraft extends OrderReference {
  readonly contractId: ContractId;
  readonly contract: SettlementContract;
}

/** What an order system can and cannot promise. The core decides by `uniqueRef`, `serverTimeoutMs` and `maxConcurrency`, the
 * preflight by the limits; the conformance suite holds an adapter to all of it. */
export interface OrderSystemCapabilities {
  /** Who refuses a second order with the same reference: the system itself, an extension of ours in it, or nobody. */
  readonly uniqueRef: 'server' | 'extension' | 'none';
  /** One call creates the order whole, or nothing. */
  readonly atomicCreate: boolean;
  /** A create with a reference that exists overwrites that order instead of refusing. */
  readonly upsertOverwrites: boolean;
  readonly refMaxLength: number;
  /** Anchored pattern of one character that a reference may hold. */
  readonly refCharset: RegExp;
  readonly change: 'native' | 'none';
  /** Fraction digits that a price and a quantity may have; what does not fit is refused by `preflight`, never rounded. */
  readonly priceScale: number;
  readonly quantityScale: number;
  readonly cancel: 'full' | 'before_fulfilment' | 'none';
  /** The longest time after which a request that the server has received can still take effect. */
  readonly serverTimeoutMs: number;
  /** Orders that may be worked on at once, over all processes together. */
  readonly maxConcurrency: number;
  readonly bulkCreate: boolean;
}

/** Why an order system could not represent a contract. */
export interface PreflightIssue {
  /** Stable, snake_case, for example `price_scale_exceeded`. */
  readonly code: string;
  /** JSON Pointer into the contract. */
  readonly where: string;
}

export interface PlacedOrder {
  /** The order system's own number. */
  readonly orderNumber: string;
  readonly url?: string;
}

export type FindResult =
  | { readonly found: 'none' }
  | { readonly found: 'one'; readonly order: PlacedOrder }
  | { readonly found: 'many'; readonly orders: readonly PlacedOrder[] };

/** What stands in the order system, read back to be compared with the contract. Amounts are exact decimal texts. */
export interface OrderSnapshot extends PlacedOrder, OrderReference {
  readonly contractId: ContractId;
  readonly buyer: string;
  readonly seller: string;
  readonly currency: string;
  readonly total: string;
  readonly lines: readonly {
    id: string;
    sku: string;
    quantity: string;
    unit: string;
    unitPrice: string;
    amount: string;
  }[];
  readonly charges: readonly { id: string; type: string; amount: string }[];
  readonly deliveries: readonly {
    id: string;
    notBefore: string;
    notAfter: string;
    items: readonly { line: string; quantity: string }[];
  }[];
}

export type OrderStatus = 'open' | 'fulfilled' | 'cancelled';

/**
 * The outcome of a create. `retryable` is only what proves that nothing was written (a refused connection, a 429, a
 * documented refusal for now); a time-out, a reset or a 5xx after the first byte is `unknown`.
 */
export type CreateOutcome =
  | { readonly outcome: 'created'; readonly order: PlacedOrder }
  | { readonly outcome: 'already_exists'; readonly order: PlacedOrder }
  | { readonly outcome: 'rejected'; readonly code: string; readonly message: string }
  | { readonly outcome: 'retryable'; readonly code: string; readonly retryAfterMs?: number }
  | { readonly outcome: 'unknown'; readonly code: string };

export type CancelOutcome =
  | { readonly outcome: 'cancelled' }
  | { readonly outcome: 'refused'; readonly code: string }
  | { readonly outcome: 'not_found' }
  | { readonly outcome: 'retryable'; readonly code: string }
  | { readonly outcome: 'unknown'; readonly code: string };

export interface CreateOptions {
  /** From 1; raised by every recorded intent. */
  readonly attempt: number;
  /** Aborted when the call's deadline has passed: the adapter stops and answers `unknown` if a byte was sent. */
  readonly signal: AbortSignal;
}

/** An order management system or ERP. Adapters never retry a create by themselves. */
export abstract class OrderSystem {
  /** Names the adapter in events and evidence, for example `embedded`. */
  abstract readonly name: string;
  abstract readonly capabilities: OrderSystemCapabilities;
  /** Says what in this draft the order system could not hold. Writes nothing. */
  abstract preflight(draft: OrderDraft): Promise<readonly PreflightIssue[]>;
  /** @throws RetryableError when the order system cannot be asked */
  abstract findByReference(reference: OrderReference, signal: AbortSignal): Promise<FindResult>;
  /** @returns undefined when no such order exists. @throws RetryableError when the order system cannot be asked */
  abstract readBack(reference: OrderReference, signal: AbortSignal): Promise<OrderSnapshot | undefined>;
  abstract create(draft: OrderDraft, options: CreateOptions): Promise<CreateOutcome>;
  abstract cancel(reference: OrderReference, reason: string, signal: AbortSignal): Promise<CancelOutcome>;
  /** @returns undefined when no such order exists. @throws RetryableError when the order system cannot be asked */
  abstract status(reference: OrderReference, signal: AbortSignal): Promise<OrderStatus | undefined>;
}
