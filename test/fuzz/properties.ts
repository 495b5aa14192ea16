import { inspect } from 'node:util';
import { REFUSAL_CODES, RetryableError, TerminalError, type Refusal } from '@v402/domain';
import { mustHold, type Outcome } from './target.js';

const CODES: ReadonlySet<string> = new Set(REFUSAL_CODES);
/** Ends before the first member name that is not short plain ASCII; a message has at most 16 levels. */
const SAFE_POINTER = /^(?:\/[A-Za-z0-9._:-]{1,64}){0,20}$/;
const UNSEEN_IN_A_LINE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const LONGEST_MESSAGE = 10_000;

/** A refusal is one of the documented ones and repeats nothing of the input but short plain names. */
export function refused({ code, where }: Refusal): Outcome {
  mustHold(CODES.has(code), `${code} is a refusal code`);
  mustHold(where === undefined || SAFE_POINTER.test(where), 'where is a safe pointer');
  return { kind: `refused ${code}`, decided: { code, where: where ?? null } };
}

/** A text for an operator: of limited length, each line of it visible. */
export function safeMessage(message: string): void {
  mustHold(message.length <= LONGEST_MESSAGE, 'a message is short');
  mustHold(
    !message.split('\n').some((line) => UNSEEN_IN_A_LINE.test(line)),
    'a message holds nothing that cannot be seen',
  );
}

/**
 * An error is one of the documented ones, and its message tells no secret.
 * @param secrets texts that no error may repeat
 */
export function documentedError(error: unknown, codes: readonly string[], secrets: readonly string[] = []): Outcome {
  if (!(error instanceof TerminalError || error instanceof RetryableError)) throw error;
  mustHold(codes.includes(error.code), `${error.code} is documented`);
  safeMessage(error.message);
  const told = `${error.message} ${JSON.stringify(error.context)} ${inspect(error.cause)}`;
  mustHold(!secrets.some((secret) => secret !== '' && told.includes(secret)), 'an error tells no secret');
  return { kind: `error ${error.code}`, decided: { code: error.code, message: error.message } };
}
