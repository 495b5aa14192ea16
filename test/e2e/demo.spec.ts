import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startV402, v402 } from '../support/cli.js';
import { until } from '../support/until.js';

/** The demonstration as a stranger runs it: it starts Kafka, PostgreSQL and the app by itself, in a folder of this test. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'v402-e2e-'));
  // PostgreSQL does not run as root: then another user has to reach its files.
  chmodSync(folder, 0o755);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A process by its id and the time of its start, so that one that gets its id later is not taken for it. */
const processes = (): Map<string, { readonly parent: string; readonly started: string }> =>
  new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        const stat = statOf(pid);
        // After the name, which may hold anything: state, parent, …, and as the 20th the time of the start.
        const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const started = rest[17];
        // One that has ended stays listed until somebody asks how.
        return parent === undefined || started === undefined || state === 'Z' ? [] : [[pid, { parent, started }]];
      }),
  );

/** Empty where the process is gone by now. */
const statOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
};

/** What a process has started, and what that has started, and so on; itself included. */
const treeOf = (root: string): Map<string, string> => {
  const all = processes();
  const found = new Map<string, string>();
  const visit = (pid: string): void => {
    found.set(pid, all.get(pid)?.started ?? '');
    for (const [child, { parent }] of all) if (parent === pid) visit(child);
  };
  visit(root);
  return found;
};

const stillThere = (tree: ReadonlyMap<string, string>): string[] => {
  const all = processes();
  return [...tree].filter(([pid, started]) => all.get(pid)?.started === started).map(([pid]) => pid);
};

test('sends contracts, finds exactly what was sent, and leaves nothing behind', async () => {
  const { status, stdout, stderr } = await v402(['demo', '--contracts', '40'], { env: { TMPDIR: folder } });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const figures = stdout.split('\n').filter((line) => /[✓✗]/.test(line));
  expect(figures.length).toBeGreaterThan(10);
  expect(figures.filter((line) => !line.includes('✓'))).toEqual([]);
  expect(figures.some((line) => /messages\D+40\D+40\D+✓/.test(line))).toBe(true);
  expect(stdout).toContain('Everything is exactly what was sent.');
  expect(readdirSync(folder)).toEqual([]);
});

test('killed in the middle: no process of its own lives on', async () => {
  const child = startV402(['demo', '--contracts', '2000'], { TMPDIR: folder });
  const gone = once(child, 'exit');
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
  await until(() => told.includes('Agents send it') || child.exitCode !== null);
  const tree = treeOf(String(child.pid));
  // Itself, the watchdog, PostgreSQL and its processes, Kafka, the standalone app.
  expect(tree.size).toBeGreaterThanOrEqual(5);
  child.kill('SIGKILL');
  await gone;
  await until(() => stillThere(tree).length === 0, { everyMs: 100 });
  expect(readdirSync(folder).filter((name) => name.startsWith('v402-parts-'))).toEqual([]);
});
