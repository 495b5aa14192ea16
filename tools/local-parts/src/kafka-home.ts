import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { assetPath } from './assets.js';
import { KAFKA_VARIABLE } from './addresses.js';
import { PartsError } from './parts-error.js';
import { logTail } from './part-runner.js';
import { checkMaven } from './toolchain.js';
import type { Watchdog } from './watchdog.js';

const PROGRESS_EVERY_MS = 3_000;

/** Folder of what was fetched once for this user: `$XDG_CACHE_HOME/v402`, else `~/.cache/v402`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'];
  // A relative path is to be ignored, says the XDG specification.
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'v402');
}

/** The jars of a broker, in a fixed order: archives of classes are tied to it. */
export async function classPath(home: string): Promise<string[]> {
  const names = await readdir(home);
  return names
    .filter((name) => name.endsWith('.jar'))
    .sort()
    .map((name) => join(home, name));
}

/** A name for all that an archive of classes depends on: the Java, its options, the jars and their times. */
export async function archiveName(
  javaVersion: string,
  options: readonly string[],
  jars: readonly string[],
): Promise<string> {
  const times = await Promise.all(jars.map(async (jar) => (await stat(jar)).mtimeMs));
  const facts = JSON.stringify([javaVersion, options, jars, times]);
  return `kafka-${createHash('sha256').update(facts).digest('hex').slice(0, 12)}.jsa`;
}

/**
 * The folder of Kafka's jars, fetched from Maven Central if they are not in the cache. It appears all at once, by its
 * renaming, so that neither a killed nor a concurrent fetch leaves half of it. Throws what `checkMaven` throws, and
 * `kafka_not_fetched`.
 */
export async function kafkaHome(
  watchdog: Watchdog,
  runFolder: string,
  env: NodeJS.ProcessEnv,
  onProgress: (line: string) => void,
): Promise<string> {
  const pom = await readFile(assetPath('pom.xml'), 'utf8');
  const version = /<kafka\.version>(.+)<\/kafka\.version>/.exec(pom)?.[1] ?? '';
  const digest = createHash('sha256').update(pom).digest('hex').slice(0, 12);
  const home = join(cacheFolder(env), `kafka-${version}-${digest}`);
  if (existsSync(home)) return home;
  await checkMaven(env);
  onProgress(`Kafka: fetching Apache Kafka ${version} from Maven Central (about 40 MB, once) …`);
  await mkdir(cacheFolder(env), { recursive: true });
  // Beside its final place, so that the renaming does not cross file systems.
  const fetched = await watchdog.folder(`${home}.`);
  try {
    await fetchJars(watchdog, runFolder, fetched, env, onProgress);
    // Another process may have been faster; its folder holds the same.
    await rename(fetched, home).catch((error: unknown) => {
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
  return home;
}

async function fetchJars(
  watchdog: Watchdog,
  runFolder: string,
  target: string,
  env: NodeJS.ProcessEnv,
  onProgress: (line: string) => void,
): Promise<void> {
  const logFile = join(runFolder, 'maven.log');
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${target}`, '-DincludeScope=runtime'];
  const maven = await watchdog.start({
    command: 'mvn',
    args: ['--batch-mode', '--file', assetPath('pom.xml'), ...goal],
    cwd: runFolder,
    env: definedOnly(env),
    logFile,
    quitSignal: 'SIGKILL',
  });
  let told = 0;
  const progress = setInterval(() => {
    void readFile(logFile, 'utf8').then((log) => {
      const files = log.split('Downloaded from').length - 1;
      if (files > told) onProgress(`Kafka: ${files} files fetched …`);
      told = files;
    });
  }, PROGRESS_EVERY_MS);
  const { code } = await maven.untilExit();
  clearInterval(progress);
  if (code === 0) return;
  throw new PartsError(
    'kafka_not_fetched',
    `Apache Kafka could not be fetched from Maven Central. Is there a network, and does ~/.m2/settings.xml name the mirror` +
      ` or proxy that this machine needs? Or give the address of a running Kafka: ${KAFKA_VARIABLE}=host:port\n` +
      `Maven's log ends:\n${await logTail(logFile)}`,
  );
}

/** The environment without variables that have no value. */
export function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
