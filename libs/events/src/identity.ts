import { TerminalError, type ContractId, type Side } from '@v402/domain';
import { v5 } from 'uuid';

/** Namespace of every UUIDv5 made here. Changing it would give every event of the past a second id. */
export const ID_NAMESPACE = '0e0d8a4c-6f1b-5f2e-9c57-402402402402';

/**
 * UUIDv5 over a JSON array. An array of strings, integers and null has one JSON text only (it is its own RFC 8785
 * form), and no two arrays share one, whatever the strings contain.
 */
function uuidOf(name: readonly (string | number | null)[]): string {
  return v5(Buffer.from(JSON.stringify(name)), ID_NAMESPACE);
}

/**
 * The CloudEvents `source` of a handler.
 * @param instanceId 1–64 of `[A-Za-z0-9._-]`, unique per deployment and never changed: event ids depend on it
 */
export function handlerSource(instanceId: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(instanceId)) {
    throw new TerminalError(
      'instance_id_invalid',
      'An instance id has 1 to 64 characters of A-Z, a-z, 0-9, ".", "_", "-".',
    );
  }
  return `urn:v402:handler:${instanceId}`;
}

/**
 * The CloudEvents `id`: equal whenever the same fact is published again, different for every other fact.
 * @param subject the event's `subject`: the contractId, or the digest of a rejection without one
 * @param side which side's row changed; undefined where the event is about the contract itself
 * @param type the CloudEvents `type`
 * @param subjectId which order, leg, delivery, hold, … of the subject
 * @param n how often that one has entered this state, from 1
 */
export function eventId(
  source: string,
  subject: string,
  side: Side | undefined,
  type: string,
  subjectId: string,
  n: number,
): string {
  return uuidOf([source, subject, side ?? null, type, subjectId, n]);
}

/** What is being asked for, and which attempt at it this is. `id` is the leg's or the delivery's id in the contract. */
export interface RequestedWork {
  readonly work: 'payment' | 'invoice' | 'delivery';
  readonly side: Side;
  readonly contractId: ContractId;
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
}

/** Whoever acts on a `*.requested` event acts once per key. It does not depend on the handler that asks. */
export function idempotencyKey({ work, side, contractId, id, attempt }: RequestedWork): string {
  return uuidOf([work, side, contractId, id, attempt]);
}

const MAX_LEG_NUMBER = 100;
const MAX_ATTEMPT = 9999;

/**
 * ISO 20022 `EndToEndId`: `<shortRef>-<leg number>`, and `-<attempt>` from the second attempt on. At most 35 characters
 * of the character set that every scheme accepts, unique per attempt, and the same for payer and payee.
 * @param shortRef 26 characters (contract format, section 2)
 * @param legNumber the leg's place in the agreed schedule, 1–100
 * @param attempt 1–9999
 */
export function endToEndId(shortRef: string, legNumber: number, attempt: number): string {
  if (!/^[0-9A-Z]{26}$/.test(shortRef) || !within(legNumber, MAX_LEG_NUMBER) || !within(attempt, MAX_ATTEMPT)) {
    throw new TerminalError('end_to_end_id_invalid', 'This leg has no end-to-end id of 35 characters.', {
      shortRef,
      legNumber,
      attempt,
    });
  }
  return attempt === 1 ? `${shortRef}-${legNumber}` : `${shortRef}-${legNumber}-${attempt}`;
}

const within = (value: number, max: number): boolean => Number.isInteger(value) && value >= 1 && value <= max;
