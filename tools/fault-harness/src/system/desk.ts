import type { OrderKind, OrderSnapshot } from '@v402/application';

/** What an order desk does to a request that it has received. */
export type DeskMode =
  /** Creates the order and answers. */
  | 'works'
  /** Creates the order, and the answer is lost. */
  | 'answer_lost'
  /** Creates the order when the caller has long given up. */
  | 'commits_late'
  /** Answers 503, having created the order or not. */
  | 'storm'
  /** Answers 429: nothing was created. */
  | 'busy'
  /** Resets the connection, having created the order or not. */
  | 'reset'
  /** Creates nothing and never answers. */
  | 'hangs';

export const DESK_MODES: readonly DeskMode[] = ['answer_lost', 'commits_late', 'storm', 'busy', 'reset', 'hangs'];

/** The longest time after which a request can still take effect, since it was asked: longer than callers wait. */
export const DESK_TIMEOUT_MS = 1_500;

/** An order as the desk has it. It keeps whatever it was asked to create: a second order with the same reference, too. */
export interface DeskOrder extends OrderSnapshot {
  readonly attempt: number;
  /** When the request came, by the clock of this machine. */
  readonly askedAt: string;
}

/** Body of `POST /orders`. */
export interface CreateRequest {
  readonly order: Omit<OrderSnapshot, 'orderNumber'>;
  readonly attempt: number;
  /** When the caller asked, by `monotonicMs`. */
  readonly askedMs: number;
}

/** The clock that all processes of a machine share and that nobody sets, in milliseconds. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

export const deskKey = (kind: OrderKind, reference: string): string => `${kind} ${reference}`;
