import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, kafkaHome } from './kafka-home.js';
import { Watchdog } from './watchdog.js';

describe('cacheFolder', () => {
  it('is below XDG_CACHE_HOME', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/somewhere' })).toBe('/somewhere/v402');
  });

  it.each([{}, { XDG_CACHE_HOME: '' }, { XDG_CACHE_HOME: 'relative' }])('is below the home folder for %j', (env) => {
    expect(cacheFolder(env)).toBe(join(homedir(), '.cache', 'v402'));
  });
});

describe('kafkaHome', () => {
  let folder: string;
  let env: Record<string, string>;
  let watchdog: Watchdog;

  /** A Maven that runs the given shell lines instead of fetching; `$target` is the folder for the jars. */
  async function fakeMaven(lines: string): Promise<void> {
    const script = [
      '#!/bin/sh',
      'if [ "$1" = -version ]; then echo "Apache Maven 3.9.9"; exit; fi',
      'for word; do case "$word" in -DoutputDirectory=*) target=${word#*=};; esac; done',
      lines,
    ];
    await writeFile(join(folder, 'bin', 'mvn'), script.join('\n'));
    await chmod(join(folder, 'bin', 'mvn'), 0o755);
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'v402-unit-'));
    await mkdir(join(folder, 'bin'));
    env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') };
    watchdog = new Watchdog();
  });
  afterEach(async () => {
    await watchdog.finish();
    await rm(folder, { recursive: true });
  });

  it('fetches once', async () => {
    await fakeMaven('touch "$target/a.jar"; echo run >> "${0%/*}/runs"');
    const lines: string[] = [];
    const first = await kafkaHome(watchdog, folder, env, (line) => lines.push(line));
    const second = await kafkaHome(watchdog, folder, env, (line) => lines.push(line));
    expect(second).toBe(first);
    expect(await readdir(first)).toEqual(['a.jar']);
    expect(lines).toEqual([expect.stringMatching(/^Kafka: fetching Apache Kafka \d+\.\d+\.\d+ from Maven Central/)]);
  });

  it('survives two that fetch at once', async () => {
    await fakeMaven('touch "$target/a.jar"; sleep 0.2; touch "$target/b.jar"');
    const fetch = (): Promise<string> => kafkaHome(watchdog, folder, env, () => undefined);
    const [first, second] = await Promise.all([fetch(), fetch()]);
    expect(second).toBe(first);
    expect(await readdir(first)).toEqual(['a.jar', 'b.jar']);
    expect(await readdir(cacheFolder(env))).toHaveLength(1);
  });

  it('leaves nothing behind when nothing can be fetched, and says why', async () => {
    await fakeMaven('touch "$target/a.jar"; echo "[ERROR] Unknown host repository.example"; exit 1');
    await expect(kafkaHome(watchdog, folder, env, () => undefined)).rejects.toMatchObject({
      code: 'kafka_not_fetched',
      message: expect.stringMatching(/settings\.xml[^]*V402_TEST_KAFKA_BROKERS[^]*Unknown host/) as string,
    });
    expect(await readdir(cacheFolder(env))).toEqual([]);
  });

  it('asks for a Maven that is new enough', async () => {
    await writeFile(join(folder, 'bin', 'mvn'), '#!/bin/sh\necho Apache Maven 3.0.5\n', { mode: 0o755 });
    await expect(kafkaHome(watchdog, folder, env, () => undefined)).rejects.toMatchObject({ code: 'maven_too_old' });
  });
});
