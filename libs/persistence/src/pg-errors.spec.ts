import { RetryableError, TerminalError } from '@v402/domain';
import pg from 'pg';
import { classify } from './pg-errors.js';

const fromServer = (code: string): pg.DatabaseError =>
  Object.assign(new pg.DatabaseError('a message with secret', 0, 'error'), {
    code,
    detail: 'Key (buyer)=(secret) already exists.',
    where: 'unnamed portal parameter $1 = secret',
    constraint: 'deal_pkey',
  });

test.each([
  ['22001', 'terminal', 'data_error'],
  ['22P05', 'terminal', 'data_error'],
  ['23505', 'terminal', 'data_error'],
  ['54000', 'terminal', 'data_error'],
  ['40001', 'retryable', 'transaction_conflict'],
  ['40P01', 'retryable', 'transaction_conflict'],
  ['55P03', 'retryable', 'lock_timeout'],
  ['57014', 'retryable', 'statement_timeout'],
  ['08006', 'retryable', 'database_unavailable'],
  ['28P01', 'retryable', 'database_authentication_failed'],
  ['28000', 'retryable', 'database_authentication_failed'],
  ['3D000', 'retryable', 'database_not_migrated'],
  ['3F000', 'retryable', 'database_not_migrated'],
  ['42P01', 'retryable', 'database_not_migrated'],
  ['42703', 'retryable', 'database_not_migrated'],
  ['42501', 'retryable', 'database_permission_denied'],
  ['25006', 'retryable', 'database_unavailable'],
  ['25P03', 'retryable', 'database_unavailable'],
  ['53100', 'retryable', 'database_unavailable'],
  ['53300', 'retryable', 'database_unavailable'],
  ['57P01', 'retryable', 'database_unavailable'],
  ['57P03', 'retryable', 'database_unavailable'],
  ['58030', 'retryable', 'database_unavailable'],
  ['42601', 'retryable', 'database_error'],
  ['25P02', 'retryable', 'database_error'],
  ['XX000', 'retryable', 'database_error'],
] as const)('SQLSTATE %s is %s: %s', (sqlState, kind, code) => {
  expect(classify(fromServer(sqlState))).toMatchObject({ kind, code });
});

test.each(['22001', '23505', '54000', '42601', '55P03', '57014', 'XX000'])(
  'SQLSTATE %s: no value gets into the error',
  (code) => {
    const error = classify(fromServer(code));
    expect(error instanceof TerminalError || error instanceof RetryableError).toBe(true);
    expect(error).toMatchObject({ context: { sqlState: code, constraint: 'deal_pkey' } });
    expect(error).not.toHaveProperty('cause');
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  },
);

test.each([
  {
    cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    context: { reason: 'ECONNREFUSED' },
  },
  { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), context: { reason: 'ECONNRESET' } },
  { cause: new Error('Connection terminated unexpectedly'), context: {} },
  { cause: new Error('Client has encountered a connection error and is not queryable'), context: {} },
  { cause: new Error('Query read timeout'), context: {} },
])('the connection is gone: $cause.message', ({ cause, context }) => {
  expect(classify(cause)).toMatchObject({ kind: 'retryable', code: 'database_unavailable', context, cause });
});

test('the driver cannot log in: the sentence says what to check', () => {
  const cause = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string');
  expect(classify(cause)).toMatchObject({
    kind: 'retryable',
    code: 'database_authentication_failed',
    message: expect.stringContaining('the role, the password and the sslmode in its URL') as unknown,
    cause,
  });
});

test.each([
  ['a certificate that nobody trusts', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
  ['one that has expired', { code: 'CERT_HAS_EXPIRED' }],
  ['one for another host', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
  ['a server without TLS', {}],
])('TLS is not agreed: %s', (_, code) => {
  const cause = Object.assign(new Error('The server does not support SSL connections'), code);
  expect(classify(cause)).toMatchObject({
    kind: 'retryable',
    code: 'database_tls_failed',
    message: expect.stringContaining('sslrootcert') as unknown,
    cause,
  });
});

test('a mistake of ours stays what it is', () => {
  const mistake = new TypeError('x is not a function');
  expect(classify(mistake)).toBe(mistake);
});
