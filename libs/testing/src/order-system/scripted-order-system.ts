import {
  OrderSystem,
  type CancelOutcome,
  type CreateOptions,
  type CreateOutcome,
  type FindResult,
  type OrderDraft,
  type OrderReference,
  type OrderSnapshot,
  type OrderStatus,
  type OrderSystemCapabilities,
  type PreflightIssue,
} from '@v402/application';

/** What an order system does otherwise than to work: each question is answered by the script where it has an answer. */
export interface OrderScript {
  preflight?: (draft: OrderDraft) => Promise<readonly PreflightIssue[]>;
  create?: (draft: OrderDraft, options: CreateOptions) => Promise<CreateOutcome>;
  findByReference?: (reference: OrderReference, signal: AbortSignal) => Promise<FindResult>;
  readBack?: (reference: OrderReference, signal: AbortSignal) => Promise<OrderSnapshot | undefined>;
}

const CAPABILITIES: OrderSystemCapabilities = {
  uniqueRef: 'server',
  atomicCreate: true,
  upsertOverwrites: false,
  refMaxLength: 64,
  refCharset: /^[0-9A-Z]$/,
  change: 'none',
  priceScale: 9,
  quantityScale: 9,
  cancel: 'none',
  serverTimeoutMs: 200,
  maxConcurrency: 8,
  bulkCreate: false,
};

/**
 * An order system in memory for the outcomes that no well-behaved one produces. Without a script it works; it counts its
 * calls, and enforces a unique reference only through `create`, never in `put`.
 */
export class ScriptedOrderSystem extends OrderSystem {
  readonly name = 'scripted';
  readonly capabilities: OrderSystemCapabilities;
  readonly orders: OrderSnapshot[] = [];
  /** Attempt numbers of the creates that were asked for, in their order. */
  readonly creates: number[] = [];
  /** Look-ups that were asked for. */
  lookUps = 0;
  script: OrderScript = {};

  constructor(capabilities: Partial<OrderSystemCapabilities> = {}) {
    super();
    this.capabilities = { ...CAPABILITIES, ...capabilities };
  }

  /** Writes an order, whether or not its reference is taken. */
  put(draft: OrderDraft, changes: Partial<OrderSnapshot> = {}): OrderSnapshot {
    const order = { ...agreedOrder(draft, `S-${this.orders.length + 1}`), ...changes };
    this.orders.push(order);
    return order;
  }

  override preflight(draft: OrderDraft): Promise<readonly PreflightIssue[]> {
    return this.script.preflight?.(draft) ?? Promise.resolve([]);
  }

  override create(draft: OrderDraft, options: CreateOptions): Promise<CreateOutcome> {
    this.creates.push(options.attempt);
    return this.script.create?.(draft, options) ?? Promise.resolve(this.#create(draft));
  }

  override findByReference(reference: OrderReference, signal: AbortSignal): Promise<FindResult> {
    this.lookUps += 1;
    return this.script.findByReference?.(reference, signal) ?? Promise.resolve(this.#find(reference));
  }

  override readBack(reference: OrderReference, signal: AbortSignal): Promise<OrderSnapshot | undefined> {
    return this.script.readBack?.(reference, signal) ?? Promise.resolve(this.#under(reference)[0]);
  }

  override cancel(): Promise<CancelOutcome> {
    return Promise.resolve({ outcome: 'refused', code: 'not_supported' });
  }

  override status(reference: OrderReference): Promise<OrderStatus | undefined> {
    return Promise.resolve(this.#under(reference).length === 0 ? undefined : 'open');
  }

  #create(draft: OrderDraft): CreateOutcome {
    const [existing] = this.#under(draft);
    if (existing !== undefined && this.capabilities.uniqueRef !== 'none') {
      return { outcome: 'already_exists', order: { orderNumber: existing.orderNumber } };
    }
    const { orderNumber } = this.put(draft);
    return { outcome: 'created', order: { orderNumber } };
  }

  #find(reference: OrderReference): FindResult {
    const orders = this.#under(reference).map(({ orderNumber }) => ({ orderNumber }));
    const [order] = orders;
    if (order === undefined) return { found: 'none' };
    return orders.length === 1 ? { found: 'one', order } : { found: 'many', orders };
  }

  #under({ kind, reference }: OrderReference): OrderSnapshot[] {
    return this.orders.filter((order) => order.kind === kind && order.reference === reference);
  }
}

/** The order as it has to stand in an order system once the draft was created there. */
export function agreedOrder({ kind, reference, contractId, contract }: OrderDraft, orderNumber: string): OrderSnapshot {
  const { parties, terms } = contract;
  const { currency, total, lines, charges = [], delivery } = terms;
  return {
    kind,
    reference,
    orderNumber,
    contractId,
    buyer: parties.buyer.id,
    seller: parties.seller.id,
    currency,
    total,
    lines,
    charges,
    deliveries: delivery.schedule,
  };
}
