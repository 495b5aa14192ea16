import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KAFKA_VARIABLE } from './addresses.js';
import { PartsError, type PartsErrorCode } from './parts-error.js';

const OLDEST_JAVA = 17;
/** What the Maven plugin that copies the jars asks for. */
const OLDEST_MAVEN = [3, 6, 3] as const;

const WHAT_TO_DO = [
  'To run Apache Kafka here, install Java 17 or newer and Maven, and start again:',
  '  Debian, Ubuntu:  apt-get install openjdk-17-jre-headless maven',
  '  macOS:           brew install openjdk maven',
  `Or give the address of a running Kafka: ${KAFKA_VARIABLE}=host:port`,
].join('\n');

/** A `java` that is new enough. */
export interface Java {
  readonly command: string;
  /** What it says about itself; another Java's archives of classes do not fit it. */
  readonly version: string;
}

/** Major version in the output of `java -version`: 8 for "1.8.0_402", 17 for "17.0.15"; nothing if there is none. */
export function javaMajorVersion(output: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? [];
  if (first === undefined) return undefined;
  return Number(first === '1' && second !== undefined ? second : first);
}

/** Whether the output of `mvn -version` is that of a Maven that can copy the jars. */
export function isMavenNewEnough(output: string): boolean {
  const numbers = /Apache Maven (\d+)\.(\d+)\.(\d+)/.exec(output)?.slice(1).map(Number) ?? [];
  for (const [index, oldest] of OLDEST_MAVEN.entries()) {
    const found = numbers[index] ?? 0;
    if (found !== oldest) return found > oldest;
  }
  return true;
}

/** Finds Java in `JAVA_HOME`, else on the path. Throws `java_missing` or `java_too_old`. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<Java> {
  const command = env['JAVA_HOME'] ? join(env['JAVA_HOME'], 'bin', 'java') : 'java';
  const output = await versionOutput(command, env, 'java_missing', 'Java');
  const major = javaMajorVersion(output);
  if (major === undefined || major < OLDEST_JAVA) {
    const found = output.split('\n')[0] ?? '';
    throw toolError('java_too_old', `Apache Kafka needs Java ${OLDEST_JAVA} or newer; \`${command}\` is: ${found}`);
  }
  return { command, version: output };
}

/** Checks that Maven is there and new enough. Throws `maven_missing` or `maven_too_old`. */
export async function checkMaven(env: NodeJS.ProcessEnv): Promise<void> {
  const output = await versionOutput('mvn', env, 'maven_missing', 'Maven');
  if (isMavenNewEnough(output)) return;
  const found = output.split('\n')[0] ?? '';
  throw toolError(
    'maven_too_old',
    `Fetching Apache Kafka needs Maven ${OLDEST_MAVEN.join('.')} or newer; found: ${found}`,
  );
}

async function versionOutput(
  command: string,
  env: NodeJS.ProcessEnv,
  code: PartsErrorCode,
  name: string,
): Promise<string> {
  try {
    // Java reports its version on standard error, Maven on standard output.
    const { stdout, stderr } = await promisify(execFile)(command, ['-version'], { env });
    return (stdout + stderr).trim();
  } catch (cause) {
    throw toolError(
      code,
      `Apache Kafka is not running here and ${name} was not found (\`${command} -version\` failed).`,
      cause,
    );
  }
}

function toolError(code: PartsErrorCode, problem: string, cause?: unknown): PartsError {
  return new PartsError(code, `${problem}\n${WHAT_TO_DO}`, { cause });
}
