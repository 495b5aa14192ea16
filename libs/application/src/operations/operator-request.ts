import { OperationRefused } from './operation-refused.js';

/** Who acts, and why. Both are kept for good. */
export interface OperatorRequest {
  /** As the person says; the database adds the login. */
  readonly actor: string;
  readonly reason: string;
}

const MAX_ACTOR = 128;
const MAX_REASON = 2_000;

/** One line of text without control characters: it is printed on terminals, and hashed. */
const isPlain = (text: string, max: number): boolean =>
  text.trim() !== '' && text.length <= max && text.isWellFormed() && !/\p{C}/u.test(text);

/** @throws OperationRefused `actor_invalid`, `reason_invalid` */
export function checkRequest({ actor, reason }: OperatorRequest): OperatorRequest {
  if (!isPlain(actor, MAX_ACTOR)) {
    throw new OperationRefused('actor_invalid', `An actor is one line of 1 to ${MAX_ACTOR} printable characters.`);
  }
  if (!isPlain(reason, MAX_REASON)) {
    throw new OperationRefused('reason_invalid', `A reason is one line of 1 to ${MAX_REASON} printable characters.`);
  }
  return { actor: actor.trim(), reason: reason.trim() };
}
