import { readFileSync } from 'node:fs';
import { ATTENTION, DIFFERENCES, UNPROVEN } from './difference-codes.js';

const page = readFileSync(new URL('../../../../docs/reconciliation.md', import.meta.url), 'utf8');

test.each(Object.entries({ ...DIFFERENCES, ...UNPROVEN, ...ATTENTION }))(
  '%s stands in docs/reconciliation.md with what to do',
  (code, action) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${code}\` `));
    expect(row?.split('|')[2]?.trim()).toBe(action);
  },
);
