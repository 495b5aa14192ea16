import { failureCode, protocolErrorType } from './kafka-failure.js';

const named = (name: string, options?: ErrorOptions): Error => Object.assign(new Error(name, options), { name });

describe('failureCode', () => {
  it('finds the cause behind kafkajs wrappers', () => {
    const refused = named('KafkaJSNumberOfRetriesExceeded', { cause: named('KafkaJSConnectionError') });
    expect(failureCode(refused)).toBe('broker_unavailable');
  });

  it('goes by the protocol error before the name', () => {
    const denied = Object.assign(named('KafkaJSConnectionError'), { type: 'GROUP_AUTHORIZATION_FAILED' });
    expect(failureCode(named('KafkaJSNonRetriableError', { cause: denied }))).toBe('authorization_failed');
  });

  it.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ])('tells a certificate that is refused from a broker that is away: %s', (code) => {
    const refused = Object.assign(named('KafkaJSConnectionError'), { code });
    expect(failureCode(named('KafkaJSNumberOfRetriesExceeded', { cause: refused }))).toBe('tls_failed');
    expect(failureCode(Object.assign(named('KafkaJSConnectionError'), { code: 'ECONNRESET' }))).toBe(
      'broker_unavailable',
    );
  });

  it('is null when it knows nothing', () => {
    expect(failureCode(new TypeError('x'))).toBeNull();
    expect(failureCode('no error at all')).toBeNull();
  });
});

describe('protocolErrorType', () => {
  it('is null for an error that the broker did not send', () => {
    expect(protocolErrorType(named('KafkaJSConnectionError'))).toBeNull();
  });
});
