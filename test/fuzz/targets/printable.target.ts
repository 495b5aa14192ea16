import fc from 'fast-check';
import { printable, printableJson } from '@v402/domain';
import type { Chance } from '../chance.js';
import { anyText } from '../hostile.js';
import { safeMessage } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

const UTF16 = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 });

function generate(chance: Chance): string {
  return chance.oneIn(2) ? anyText(chance) : String.fromCharCode(...chance.of(UTF16));
}

function run(text: string): Outcome {
  const line = printable(text, 1_000);
  safeMessage(line);
  mustHold(!line.includes('\n'), 'a line is one line');
  const json = printableJson(JSON.stringify({ text }, null, 1));
  mustHold((JSON.parse(json) as { readonly text: string }).text === text, 'JSON keeps the value');
  safeMessage(json.slice(0, 5_000).replace(/[\ud800-\udbff]$/, ''));
  return { kind: line === text ? 'as it is' : 'escaped', decided: line };
}

export const printableText = defineTarget('printable', generate, run);
