import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { runToEnd } from './part-runner.js';
import type { PartCommand, Watchdog } from './watchdog.js';

/** Passwords of the users of a listener with TLS, SCRAM-SHA-512 and ACLs, by their names. */
export type KafkaUsers = Readonly<Record<string, string>>;

/** Where a listener with TLS, SCRAM-SHA-512 and ACLs is reached, and what its certificate is checked by. */
export interface SecuredAddress {
  /** As `host:port`. */
  readonly brokers: string[];
  /** File of the certificate, which is its own issuer, as PEM. */
  readonly certificateFile: string;
}

export interface KeyStore {
  readonly file: string;
  readonly password: string;
  readonly certificateFile: string;
}

/** Makes a key for 127.0.0.1 and its certificate, with the tool that comes with Java. Throws `part_failed`. */
export async function makeKeyStore(
  watchdog: Watchdog,
  java: string,
  { cwd, env }: Pick<PartCommand, 'cwd' | 'env'>,
): Promise<KeyStore> {
  const keyStore = {
    file: join(cwd, 'kafka-keys.p12'),
    certificateFile: join(cwd, 'kafka-certificate.pem'),
    password: randomBytes(16).toString('hex'),
  };
  const { file, certificateFile, password } = keyStore;
  const tool = dirname(java) === '.' ? 'keytool' : join(dirname(java), 'keytool');
  const store = ['-alias', 'broker', '-keystore', file, '-storetype', 'PKCS12', '-storepass', password];
  const keytool = (args: readonly string[]): Promise<void> =>
    runToEnd(watchdog, "Making Kafka's certificate", {
      command: tool,
      args: [...args, ...store],
      cwd,
      env,
      logFile: join(cwd, 'keytool.log'),
      quitSignal: 'SIGKILL',
    });
  const subject = ['-dname', 'CN=127.0.0.1', '-ext', 'SAN=IP:127.0.0.1', '-validity', '2'];
  await keytool(['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', ...subject]);
  await keytool(['-exportcert', '-rfc', '-file', certificateFile]);
  return keyStore;
}

/** Arguments of Kafka's formatting tool that make the users. */
export const addUsers = (users: KafkaUsers): string[] =>
  Object.entries(users).flatMap(([name, password]) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${name},password=${password}]`,
  ]);
