import { PartsError } from './parts-error.js';

/** Addresses of running parts, which win over starting our own. */
export const KAFKA_VARIABLE = 'V402_TEST_KAFKA_BROKERS';
export const POSTGRES_VARIABLE = 'V402_TEST_POSTGRES_URL';

/** Brokers as `host:port`, separated by commas; nothing if the variable is absent or blank. Throws `address_unreachable`. */
export function brokersFrom(env: NodeJS.ProcessEnv): string[] | undefined {
  const brokers = (env[KAFKA_VARIABLE] ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  for (const broker of brokers) {
    if (!/^.+:\d{1,5}$/.test(broker)) {
      throw new PartsError(
        'address_unreachable',
        `${KAFKA_VARIABLE} must be host:port[,host:port…]; "${broker}" is not.`,
      );
    }
  }
  return brokers.length === 0 ? undefined : brokers;
}

/** URL of a maintenance database as a user who may create databases and roles. Throws `address_unreachable`. */
export function postgresUrlFrom(env: NodeJS.ProcessEnv): string | undefined {
  const url = (env[POSTGRES_VARIABLE] ?? '').trim();
  if (url === '') return undefined;
  // The value itself is not shown: it may hold a password.
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new PartsError(
      'address_unreachable',
      `${POSTGRES_VARIABLE} must be postgresql://user:password@host:port/database.`,
    );
  }
  return url;
}
