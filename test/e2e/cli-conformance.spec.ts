import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { v402 } from '../support/cli.js';
import { TestFolder } from '../support/test-folder.js';
import { VECTORS } from '../support/trade.js';

/** The built command line in a process of its own; it makes a database of its own in the PostgreSQL of the test run. */
const folder = new TestFolder();

afterAll(() => {
  folder.remove();
});

describe('v402 conformance', () => {
  const V402_TEST_POSTGRES_URL = process.env['V402_TEST_POSTGRES_URL'];

  /** A folder of few vectors, whose manifest counts what it holds. */
  const smallFolder = (name: string, byResult: Record<string, number>): string => {
    const dir = join(folder.path, name);
    for (const path of ['trust-registry.json', 'registries/good.json', 'cases/accept/base.json']) {
      cpSync(join(VECTORS, path), join(dir, path));
    }
    cpSync(join(VECTORS, 'cases/reject/json-empty.json'), join(dir, 'cases/reject/json-empty.json'));
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ count: 2, byResult, registries: 1 }));
    return dir;
  };

  test('all passed: one line each, the sum, status 0', async () => {
    const dir = smallFolder('good', { accepted: 1, malformed_json: 1 });
    const { status, stdout } = await v402(['conformance', dir], { env: { V402_TEST_POSTGRES_URL } });
    expect(stdout).toBe('ok registry good\nok base\nok json-empty\n3 passed, 0 failed\n');
    expect(status).toBe(0);
  });

  test('a wrong outcome and a missing case: FAILED with what was expected and got, status 1', async () => {
    const dir = smallFolder('bad', { accepted: 1, malformed_json: 1, expired: 1 });
    const file = join(dir, 'cases/accept/base.json');
    const vector = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...vector, expect: { outcome: 'rejected', code: 'expired' } }));
    const { status, stdout } = await v402(['conformance', dir], { env: { V402_TEST_POSTGRES_URL } });
    expect(stdout).toMatch(/^FAILED base: expected rejected expired, got accepted [0-9a-f]{64} [0-9A-Z]{26}$/m);
    expect(stdout).toContain('FAILED manifest.json: expected 1 cases of accepted, got 0\n');
    expect(stdout).toMatch(/\n2 passed, 2 failed\n$/);
    expect(status).toBe(1);
  });

  test.each([
    ['no folder', '/nowhere', 'file_unreadable: /nowhere/manifest.json'],
    ['a folder of something else', join(VECTORS, '..'), 'file_unreadable'],
  ])('%s: status 2', async (_, dir, sentence) => {
    const { status, stdout, stderr } = await v402(['conformance', dir]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(sentence);
  });
});
