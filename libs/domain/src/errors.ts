/** Context of an error: safe to log. Never a payload, never a secret. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | null>>;

abstract class CodedError extends Error {
  abstract readonly kind: 'terminal' | 'retryable';

  constructor(
    /** Stable, snake_case: operators and dashboards build on it. */
    readonly code: string,
    message: string,
    readonly context: ErrorContext = {},
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Trying again cannot help: the input, the configuration or the state has to change first. */
export class TerminalError extends CodedError {
  readonly kind = 'terminal';
}

/** The same attempt may succeed later: a part is away, a lock was lost, a limit was hit. */
export class RetryableError extends CodedError {
  readonly kind = 'retryable';
}

/**
 * Whether Node.js gave this code to a connection on which TLS was not agreed, or whose certificate is not accepted: no
 * waiting helps, unlike with a server that is away.
 */
export const isTlsFault = (nodeCode: string): boolean =>
  /CERT|^UNABLE_TO_|^ERR_(TLS|SSL)_|^HOSTNAME_MISMATCH$/.test(nodeCode);

/** The stable code of an error; `unforeseen` for one that is not ours. */
export const codeOf = (error: unknown, unforeseen = 'unexpected_error'): string =>
  error instanceof CodedError ? error.code : unforeseen;
