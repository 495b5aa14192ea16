import { type ErrorContext, isTlsFault, RetryableError, TerminalError } from '@v402/domain';
import pg from 'pg';

/** Which of its callers' next steps an error calls for, by SQLSTATE (PostgreSQL, appendix A). */
type Verdict =
  | 'authentication'
  | 'conflict'
  | 'data'
  | 'locked'
  | 'not_migrated'
  | 'other'
  | 'permission'
  | 'timeout'
  | 'unavailable';

const CONFLICTS = ['40001', '40P01'];
const LOCK_NOT_AVAILABLE = '55P03';
const STATEMENT_CANCELED = '57014';
const INSUFFICIENT_PRIVILEGE = '42501';
/** No such database, schema, table or column. */
const NOT_THERE = ['3D000', '3F000', '42P01', '42703'];
const READ_ONLY = '25006'; // the server has become a standby
const IDLE_IN_TRANSACTION = '25P03'; // we paused so long that the server gave us up
/** Data exception, constraint violation, limit exceeded: the same values are refused again. */
const DATA_CLASSES = ['22', '23', '54'];
const AUTHENTICATION_CLASS = '28';
/** Connection, resources, operator, system: nothing is wrong with what was asked. */
const UNAVAILABLE_CLASSES = ['08', '53', '57', '58'];

function verdictOn(sqlState: string): Verdict {
  const sqlClass = sqlState.slice(0, 2);
  if (CONFLICTS.includes(sqlState)) return 'conflict';
  if (sqlState === LOCK_NOT_AVAILABLE) return 'locked';
  if (sqlState === STATEMENT_CANCELED) return 'timeout';
  if (sqlState === INSUFFICIENT_PRIVILEGE) return 'permission';
  if (NOT_THERE.includes(sqlState)) return 'not_migrated';
  if (sqlClass === AUTHENTICATION_CLASS) return 'authentication';
  if (DATA_CLASSES.includes(sqlClass)) return 'data';
  if (sqlState === READ_ONLY || sqlState === IDLE_IN_TRANSACTION) return 'unavailable';
  return UNAVAILABLE_CLASSES.includes(sqlClass) ? 'unavailable' : 'other';
}

/** Names of schema objects say where; `detail`, `where` and `message` may hold values and are left out. */
function contextOf({ code = '', constraint, table, column }: pg.DatabaseError): ErrorContext {
  return {
    sqlState: code,
    ...(constraint === undefined ? {} : { constraint }),
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
  };
}

/** The database cannot be reached, or the connection is gone; whatever was under way may have happened or not. */
export function unavailable(cause: unknown): RetryableError {
  const sentence = 'The database cannot be reached or has gone away.';
  return new RetryableError('database_unavailable', sentence, reasonOf(cause), { cause });
}

function reasonOf(cause: unknown): ErrorContext {
  const reason = codeOf(cause);
  return reason === undefined ? {} : { reason };
}

/** The server does not let us in. */
export function authenticationFailed(context: ErrorContext, options: ErrorOptions = {}): RetryableError {
  const sentence = 'The database refuses the login: check the role, the password and the sslmode in its URL.';
  return new RetryableError('database_authentication_failed', sentence, context, options);
}

/** The way to the server is not as safe as the URL asks for, or not as the server does. */
export function tlsFailed(context: ErrorContext, options: ErrorOptions = {}): RetryableError {
  const sentence =
    'TLS to the database was not agreed: check sslmode and sslrootcert in its URL, and the certificate of the server.';
  return new RetryableError('database_tls_failed', sentence, context, options);
}

/** The database, or something in it that this release needs, does not exist. */
export function notMigrated(context: ErrorContext, options: ErrorOptions = {}): RetryableError {
  const sentence = 'The database is not what this release needs: apply the migrations: v402 migrate.';
  return new RetryableError('database_not_migrated', sentence, context, options);
}

/** What the driver raises when it has no password for a server that asks for one, or meets a server that is another. */
const isLoginError = (error: unknown): boolean => error instanceof Error && error.message.startsWith('SASL: ');

/** What the driver raises where the server has no TLS, or one of its certificates is not accepted. */
const isTlsError = (error: unknown): boolean =>
  (error instanceof Error && error.message.startsWith('The server does not support SSL')) ||
  isTlsFault(codeOf(error) ?? '');

/** SQLSTATE, or the operating system's name of the error, such as `ECONNREFUSED`. */
const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/**
 * What an error of the driver means to a caller. The driver's error is chained only where it cannot hold a value that
 * was sent: causes are logged.
 */
export function classify(error: unknown): unknown {
  // A value that the driver cannot serialize is a mistake of ours, not of the database.
  if (error instanceof TypeError || error instanceof RangeError) return error;
  if (isLoginError(error)) return authenticationFailed({}, { cause: error });
  if (isTlsError(error)) return tlsFailed(reasonOf(error), { cause: error });
  // What else the driver raises by itself, without an answer of the server, is about the connection.
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return unavailable(error);
  const verdict = verdictOn(error.code);
  const context = contextOf(error);
  switch (verdict) {
    case 'authentication':
      return authenticationFailed(context, { cause: error });
    case 'not_migrated':
      return notMigrated(context, { cause: error });
    case 'permission':
      return new RetryableError(
        'database_permission_denied',
        'The database role may not do this: services log in as a member of v402_app, operators of v402_operator, in a migrated database.',
        context,
        { cause: error },
      );
    case 'data':
      return new TerminalError('data_error', 'The database refuses a value.', context);
    case 'conflict':
      return new RetryableError('transaction_conflict', 'Transactions were in conflict.', context, { cause: error });
    case 'locked':
      return new RetryableError('lock_timeout', 'A row was locked by somebody else for too long.', context);
    case 'timeout':
      return new RetryableError('statement_timeout', 'A statement took too long and was cancelled.', context);
    case 'unavailable':
      return unavailable(error);
    case 'other':
      return new RetryableError('database_error', 'The database failed to run a statement.', context);
  }
}

/** Whether the transaction lost against another one, and may win when it runs again. */
export const isConflict = (error: unknown): error is RetryableError =>
  error instanceof RetryableError && error.code === 'transaction_conflict';

/** Whether the connection may be in an unknown state. */
export const isUnavailable = (error: unknown): error is RetryableError =>
  error instanceof RetryableError && error.code === 'database_unavailable';
