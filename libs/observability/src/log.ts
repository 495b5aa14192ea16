import { pino, type Logger } from 'pino';

/** Members that are never written, wherever they stand in a log line. */
const SECRETS = [
  'password',
  'privateKey',
  'secret',
  'authorization',
  'url',
  'connectionString',
  'bytes',
  'value',
  'canonical',
];

const redactedPaths = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** JSON lines on standard output. A line carries codes, ids and numbers; payloads and secrets are redacted. */
export function createLog(level: string, base: Readonly<Record<string, string>>): Logger {
  return pino({
    level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: redactedPaths, censor: '[redacted]' },
  });
}

export type { Logger };
