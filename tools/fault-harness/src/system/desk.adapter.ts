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
import { RetryableError } from '@v402/domain';
import { DESK_TIMEOUT_MS, monotonicMs, type CreateRequest, type DeskOrder } from './desk.js';

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
  serverTimeoutMs: DESK_TIMEOUT_MS,
  maxConcurrency: 32,
  bulkCreate: false,
};

/** The order desk as a role sees it. */
export class DeskOrderSystem extends OrderSystem {
  readonly name = 'desk';
  readonly capabilities = CAPABILITIES;

  constructor(private readonly url: string) {
    super();
  }

  override preflight(): Promise<readonly PreflightIssue[]> {
    return Promise.resolve([]);
  }

  override async create(draft: OrderDraft, { attempt, signal }: CreateOptions): Promise<CreateOutcome> {
    const body: CreateRequest = { order: agreedOrder(draft), attempt, askedMs: monotonicMs() };
    try {
      const response = await fetch(`${this.url}/orders`, { method: 'POST', body: JSON.stringify(body), signal });
      if (response.status === 429) {
        await response.body?.cancel();
        return { outcome: 'retryable', code: 'too_many_requests', retryAfterMs: 200 };
      }
      if (response.status !== 201) {
        await response.body?.cancel();
        return { outcome: 'unknown', code: 'server_error' };
      }
      const { orderNumber } = (await response.json()) as DeskOrder;
      return { outcome: 'created', order: { orderNumber } };
    } catch (error) {
      if (isRefused(error)) return { outcome: 'retryable', code: 'connection_refused' };
      return { outcome: 'unknown', code: signal.aborted ? 'timeout' : 'connection_lost' };
    }
  }

  override async findByReference(reference: OrderReference, signal: AbortSignal): Promise<FindResult> {
    const orders = await this.#under(reference, signal);
    const [order] = orders;
    if (order === undefined) return { found: 'none' };
    return orders.length === 1 ? { found: 'one', order } : { found: 'many', orders };
  }

  override async readBack(reference: OrderReference, signal: AbortSignal): Promise<OrderSnapshot | undefined> {
    return (await this.#under(reference, signal))[0];
  }

  override cancel(): Promise<CancelOutcome> {
    return Promise.resolve({ outcome: 'refused', code: 'not_supported' });
  }

  override async status(reference: OrderReference, signal: AbortSignal): Promise<OrderStatus | undefined> {
    return (await this.#under(reference, signal)).length === 0 ? undefined : 'open';
  }

  async #under({ kind, reference }: OrderReference, signal: AbortSignal): Promise<readonly DeskOrder[]> {
    const query = new URLSearchParams({ kind, reference });
    try {
      const response = await fetch(`${this.url}/orders?${query.toString()}`, { signal });
      if (response.status !== 200) throw new Error(`The order desk answers ${response.status}.`);
      return (await response.json()) as DeskOrder[];
    } catch (cause) {
      throw new RetryableError('order_system_unavailable', 'The order desk does not answer.', {}, { cause });
    }
  }
}

const isRefused = (error: unknown): boolean =>
  error instanceof TypeError &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  error.cause.code === 'ECONNREFUSED';

function agreedOrder({ kind, reference, contractId, contract }: OrderDraft): CreateRequest['order'] {
  const { parties, terms } = contract;
  const { currency, total, lines, charges = [], delivery } = terms;
  const [buyer, seller] = [parties.buyer.id, parties.seller.id];
  return { kind, reference, contractId, buyer, seller, currency, total, lines, charges, deliveries: delivery.schedule };
}
