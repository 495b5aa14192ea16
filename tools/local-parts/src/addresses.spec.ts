import { brokersFrom, postgresUrlFrom } from './addresses.js';

it.each([
  [{}, undefined],
  [{ V402_TEST_KAFKA_BROKERS: ' ' }, undefined],
  [{ V402_TEST_KAFKA_BROKERS: 'localhost:9092' }, ['localhost:9092']],
  [{ V402_TEST_KAFKA_BROKERS: 'a:1, [::1]:9092,' }, ['a:1', '[::1]:9092']],
])('reads the brokers of %j', (env, brokers) => {
  expect(brokersFrom(env)).toEqual(brokers);
});

it.each(['localhost', 'a:1,b', ':9092'])('refuses the brokers %j', (value) => {
  expect(() => brokersFrom({ V402_TEST_KAFKA_BROKERS: value })).toThrow(/V402_TEST_KAFKA_BROKERS must be host:port/);
});

it.each([
  [{}, undefined],
  [{ V402_TEST_POSTGRES_URL: '' }, undefined],
  [{ V402_TEST_POSTGRES_URL: 'postgres://u:p@h:5432/d' }, 'postgres://u:p@h:5432/d'],
])('reads the database URL of %j', (env, url) => {
  expect(postgresUrlFrom(env)).toBe(url);
});

it('refuses another kind of URL without showing it', () => {
  const read = (): unknown => postgresUrlFrom({ V402_TEST_POSTGRES_URL: 'mysql://u:secret@h/d' });
  expect(read).toThrow(/V402_TEST_POSTGRES_URL must be/);
  expect(read).not.toThrow(/secret/);
});
