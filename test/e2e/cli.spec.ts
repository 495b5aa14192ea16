import { v402 } from '../support/cli.js';

/** The built command line in a process of its own; no other part. */
describe('help', () => {
  test('every command has one, and says its exit statuses', async () => {
    const { status, stdout } = await v402(['--help']);
    expect(status).toBe(0);
    const [section = ''] = stdout.split('Commands:\n')[1]?.split('\n\n') ?? [];
    const listed = [...section.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!);
    const commands = listed.filter((name) => name !== 'help');
    expect(commands).toEqual(expect.arrayContaining(['verify', 'sign', 'conformance', 'show', 'migrate', 'topics']));
    for (const command of commands) {
      const help = await v402([command, '--help']);
      expect(help).toMatchObject({
        status: 0,
        stderr: '',
        stdout: expect.stringContaining('Exit status: 0') as string,
      });
    }
  });

  test('every exit status that a command can have is in the overview', async () => {
    const { stdout } = await v402(['--help']);
    const [, statuses = ''] = stdout.split('Exit status:\n');
    expect([...statuses.matchAll(/^ {2}(\d+) /gm)].map(([, status]) => Number(status))).toEqual([
      0, 1, 2, 3, 75, 78, 130,
    ]);
    expect((await v402(['run', '--help'])).stdout).toMatch(/75 ended by a signal/);
  });

  test('the version is the package’s', async () => {
    expect(await v402(['--version'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
  });

  test('nothing asked: the help on standard error, status 2', async () => {
    const { status, stdout, stderr } = await v402([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('Usage: v402');
  });
});

test.each([
  ['--from', '2026-11-21T00:00:00Z'],
  ['--to', '2026-11-22T00:00:00Z'],
  ['--grace-seconds', '5'],
])('v402 reconcile --last with %s would mean nothing: status 2', async (option, value) => {
  const { status, stdout, stderr } = await v402(['reconcile', '--last', option, value]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(`error: option '--last' cannot be used with option '${option} `);
});
