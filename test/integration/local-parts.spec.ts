/** Real: both parts, their processes, the watchdog, signals. The programs that are killed run the built package. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, readdir, readlink, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalParts, stopKept, type LocalParts } from '@v402/local-parts';
import pg from 'pg';

const ROOT = process.cwd();

/** Says each progress line, then the addresses as JSON, then waits for ever unless told to end. */
const PROGRAM = `
  import { startLocalParts } from '@v402/local-parts';
  const options = JSON.parse(process.argv[1]);
  try {
    const parts = await startLocalParts({ embedded: true, onProgress: (line) => console.log(line), ...options });
    console.log(JSON.stringify({ brokers: parts.kafka.brokers, adminUrl: parts.postgres.adminUrl }));
    if (!options.keep) setInterval(() => undefined, 1_000);
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }));
  }
`;

interface Addresses {
  readonly brokers: string[];
  readonly adminUrl: string;
}

/** Temporary folder of one test: what its programs leave in files and processes can be told from everything else. */
let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'v402-test-'));
  await chmod(base, 0o711);
});
afterEach(async () => {
  for (const pid of await processes()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  await rm(base, { recursive: true, force: true, maxRetries: 10 });
});

function run(options: object, env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, JSON.stringify(options)], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', TMPDIR: base, ...env },
    // A process group of its own, so that a test can kill all of it.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function lineOf(program: ChildProcess, wanted: RegExp): Promise<string> {
  for await (const line of createInterface({ input: program.stdout! })) if (wanted.test(line)) return line;
  throw new Error(`The program ended without saying ${String(wanted)}.`);
}

async function addressesOf(program: ChildProcess): Promise<Addresses> {
  return JSON.parse(await lineOf(program, /^\{/)) as Addresses;
}

/** Processes that have this test's folder in their command line, environment or working directory. */
async function processes(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
      const cwd = readlink(`/proc/${pid}/cwd`).catch(() => '');
      const facts = await Promise.all([read('cmdline'), read('environ'), cwd]);
      return facts.some((fact) => fact.includes(base)) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/** The watchdog of a program. */
async function watchdogPid(): Promise<number> {
  for (const pid of await processes()) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (command.includes('watchdog.mjs')) return pid;
  }
  throw new Error('There is no watchdog.');
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const portsOf = ({ brokers, adminUrl }: Addresses): number[] => [
  ...brokers.map((broker) => Number(broker.split(':')[1])),
  Number(new URL(adminUrl).port),
];

async function openPorts(addresses: Addresses): Promise<number[]> {
  const open = await Promise.all(portsOf(addresses).map(async (port) => ((await isOpen(port)) ? [port] : [])));
  return open.flat();
}

async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

async function expectNothingLeft(addresses?: Addresses): Promise<void> {
  await eventually(async () => (await processes()).length === 0 && (await readdir(base)).length === 0);
  expect(await processes()).toEqual([]);
  expect(await readdir(base)).toEqual([]);
  if (addresses) expect(await openPorts(addresses)).toEqual([]);
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** One raw request to a broker (correlation id 7, no client id); the whole answer. */
async function ask(broker: string, key: number, version: number, body: Buffer): Promise<Buffer> {
  const header = Buffer.from([0, 0, 0, 0, 0, key, 0, version, 0, 0, 0, 7, 0xff, 0xff]);
  header.writeInt32BE(header.length - 4 + body.length);
  const socket = connect(Number(broker.split(':')[1]), '127.0.0.1');
  socket.write(Buffer.concat([header, body]));
  let answer = Buffer.alloc(0);
  for await (const chunk of socket) {
    answer = Buffer.concat([answer, chunk as Buffer]);
    if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) break;
  }
  return answer;
}

/** CreateTopics version 2: one partition, one replica. */
async function createTopic(broker: string, name: string): Promise<void> {
  const noAssignmentsNorSettings = [0, 0, 0, 0, 0, 0, 0, 0];
  const settings = [0, 0, 0, 1, 0, 1, ...noAssignmentsNorSettings, 0, 0, 0x27, 0x10, 0];
  await ask(
    broker,
    19,
    2,
    Buffer.concat([Buffer.from([0, 0, 0, 1, 0, name.length]), Buffer.from(name), Buffer.from(settings)]),
  );
}

/** Metadata version 5 of every topic: whether one of this name is among them. */
async function hasTopic(broker: string, name: string): Promise<boolean> {
  return (await ask(broker, 3, 5, Buffer.from([0xff, 0xff, 0xff, 0xff, 0]))).includes(name);
}

describe('parts of our own', () => {
  let parts: LocalParts;

  beforeAll(async () => {
    parts = await startLocalParts({ embedded: true });
  });
  afterAll(async () => {
    await parts.stop();
  });

  it('keeps what PostgreSQL committed over an immediate stop, at the same address', async () => {
    const { postgres } = parts;
    await query(postgres.adminUrl, 'CREATE TABLE kept AS SELECT 402 AS number');
    await postgres.stop('immediate');
    await expect(query(postgres.adminUrl, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
    await postgres.start();
    expect(await query(postgres.adminUrl, 'SELECT number FROM kept')).toEqual([{ number: 402 }]);
  });

  it('keeps what Kafka was told over a kill, at the same address', async () => {
    const { kafka } = parts;
    const broker = kafka.brokers[0]!;
    await createTopic(broker, 'kept-topic');
    expect(await eventually(() => hasTopic(broker, 'kept-topic'))).toBe(true);
    await kafka.kill();
    expect(await isOpen(Number(broker.split(':')[1]))).toBe(false);
    await kafka.start();
    expect(await eventually(() => hasTopic(broker, 'kept-topic'))).toBe(true);
  });

  it('lets nobody into PostgreSQL without the password', async () => {
    const url = new URL(parts.postgres.adminUrl);
    url.password = 'guessed';
    await expect(query(url.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });

  it('waits for the disk at each commit unless told otherwise', async () => {
    expect(await query(parts.postgres.adminUrl, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  });
});

describe('parts that were given', () => {
  /** They are looked at for ten seconds, which a busy machine may need. */
  async function foundParts(): Promise<LocalParts> {
    let found: LocalParts | undefined;
    await eventually(async () => (found = await startLocalParts().catch(() => undefined)) !== undefined);
    return found ?? startLocalParts();
  }

  it('are used as they are, and are not ours to stop', async () => {
    const given = await foundParts();
    expect(given.kafka.brokers.join()).toBe(process.env['V402_TEST_KAFKA_BROKERS']);
    expect(given.postgres.adminUrl).toBe(process.env['V402_TEST_POSTGRES_URL']);
    await expect(given.kafka.kill()).rejects.toMatchObject({ code: 'part_not_ours' });
    await expect(given.postgres.stop()).rejects.toMatchObject({ code: 'part_not_ours' });
    await given.stop();
    expect(await query(given.postgres.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.each([
    ['V402_TEST_KAFKA_BROKERS', '127.0.0.1:1', 'postgres'],
    ['V402_TEST_POSTGRES_URL', 'postgresql://u:p@127.0.0.1:1/d', 'kafka'],
  ])('are refused by name when nothing answers at %s', async (name, value, other) => {
    const program = run({ embedded: false, [other]: false }, { [name]: value });
    const refusal = JSON.parse(await lineOf(program, /^\{/)) as unknown;
    expect(refusal).toMatchObject({ code: 'address_unreachable', message: expect.stringContaining(name) as string });
    await expectNothingLeft();
  });
});

describe('when the program is gone', () => {
  it('nothing is left after a kill -9 of the program alone', async () => {
    const program = run({});
    const addresses = await addressesOf(program);
    expect(await openPorts(addresses)).toEqual(portsOf(addresses));
    process.kill(program.pid!, 'SIGKILL');
    await expectNothingLeft(addresses);
  });

  it('nothing is left after a kill -9 of its whole process group', async () => {
    const program = run({});
    const addresses = await addressesOf(program);
    process.kill(-program.pid!, 'SIGKILL');
    await expectNothingLeft(addresses);
  });

  it.each([/PostgreSQL: starting/, /Kafka: starting/, /PostgreSQL: ready/])(
    'nothing is left after a kill -9 at %s',
    async (line) => {
      const program = run({});
      await lineOf(program, line);
      process.kill(-program.pid!, 'SIGKILL');
      await expectNothingLeft();
    },
  );

  it('nothing is left after it ended without stopping the parts', async () => {
    const program = run({});
    const addresses = await addressesOf(program);
    process.kill(program.pid!, 'SIGTERM');
    await expectNothingLeft(addresses);
  });

  it('the parts end as well when it is the watchdog that is killed', async () => {
    const program = run({});
    const addresses = await addressesOf(program);
    process.kill(await watchdogPid(), 'SIGKILL');
    expect(await eventually(async () => (await openPorts(addresses)).length === 0)).toBe(true);
    expect(await eventually(async () => (await processes()).join() === String(program.pid))).toBe(true);
  });
});

it('leaves nothing when a part cannot start', async () => {
  const program = run({}, { JAVA_HOME: '/nonexistent' });
  const refusal = JSON.parse(await lineOf(program, /^\{/)) as unknown;
  expect(refusal).toMatchObject({ code: 'java_missing' });
  await expectNothingLeft();
});

describe('parts that are kept', () => {
  it('outlive their program until they are stopped', async () => {
    const dir = join(base, 'state');
    const program = run({ keep: true, dir });
    const addresses = await addressesOf(program);
    if (program.exitCode === null) await once(program, 'exit');
    expect(await query(addresses.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await openPorts(addresses)).toEqual(portsOf(addresses));
    // It holds a password.
    expect((await stat(join(dir, 'local-parts.json'))).mode & 0o777).toBe(0o600);

    const second = run({ keep: true, dir });
    const refusal = JSON.parse(await lineOf(second, /^\{/)) as unknown;
    expect(refusal).toMatchObject({ code: 'parts_already_kept' });

    await stopKept(dir);
    expect(await readdir(dir)).toEqual([]);
    await rm(dir, { recursive: true });
    await expectNothingLeft(addresses);
  });

  it('cannot be stopped twice', async () => {
    await expect(stopKept(base)).rejects.toMatchObject({ code: 'parts_not_kept' });
  });
});
