import { inspect } from 'node:util';
import { runStretch } from './campaign.js';
import { Chance } from './chance.js';
import { corpusFiles, loadHardCases } from './corpus.js';
import { defineTarget, mustHold } from './target.js';
import { TARGETS } from './targets/index.js';

/** A short run of every target, the same each time; `npm run test:fuzz` runs as many inputs as one likes. */
const SEED = 402;
const INPUTS = 60;

describe(`fuzzing, seed ${SEED}`, () => {
  test.each(TARGETS.map((target) => [target.name, target] as const))('%s', async (_, target) => {
    const result = await runStretch(target, { seed: SEED, first: 0, count: INPUTS });
    if ('failure' in result) throw new Error(`input ${result.failure.index}: ${result.failure.reason}`);
    expect(Object.values(result.kinds).reduce((sum, count) => sum + count, 0)).toBe(INPUTS);
    // A target whose inputs all end alike tests little.
    expect(Object.keys(result.kinds).length).toBeGreaterThan(target.name === 'canonical' ? 0 : 1);
  });
});

/** Larger ones take a while; `npm run test:fuzz` runs them. */
const QUICK_BYTES = 200_000;

describe('hard cases', () => {
  const hard: readonly [file: string, target: string][] = [
    ['strict-json.json', 'strict-json'],
    ['payment-accounts.json', 'payment-accounts'],
    ['registry.json', 'registry'],
  ];

  test.each(hard)('every quick one of %s', async (file, name) => {
    const target = TARGETS.find((each) => each.name === name)!;
    for (const bytes of loadHardCases(file)) if (bytes.length <= QUICK_BYTES) await target.run(bytes);
  });

  test('every envelope', async () => {
    const target = TARGETS.find(({ name }) => name === 'envelope')!;
    const context = { arrival: '2026-11-21T12:00:00Z', handlerId: null, servedParties: null, requireTranscript: false };
    for (const bytes of loadHardCases('envelope.json')) await target.run({ bytes, context, otherForm: 1 });
  });

  test('stand in files that a target reads', () => {
    expect([...corpusFiles()].sort()).toEqual([
      'envelope.json',
      'payment-accounts.json',
      'registry.json',
      'signatures.json',
      'strict-json.json',
      'weak-ed25519-points.json',
    ]);
  });
});

describe('the fuzzer itself', () => {
  const finds = (name: string, run: Parameters<typeof defineTarget<number>>[2]): Promise<unknown> =>
    runStretch(
      defineTarget<number>(name, (chance) => chance.int(0, 9), run),
      { seed: 1, first: 0, count: 200 },
    );

  test('finds an input that breaks a property, and says which', async () => {
    const run = (input: number): { kind: string; decided: number } => {
      mustHold(input !== 7, 'no input is 7');
      return { kind: 'good', decided: input };
    };
    expect(await finds('property', run)).toMatchObject({
      failure: { input: 7, reason: expect.stringContaining('no input is 7') as string },
    });
  });

  test('finds an error that nobody documented', async () => {
    const run = (input: number): { kind: string; decided: number } => ({
      kind: 'good',
      decided: BigInt(input * 1.5) === 3n ? 1 : 0,
    });
    expect(await finds('error', run)).toMatchObject({
      failure: { reason: expect.stringContaining('RangeError') as string },
    });
  });

  test('finds an input that is decided another way the second time', async () => {
    let calls = 0;
    const run = (): { kind: string; decided: number } => ({ kind: 'good', decided: (calls += 1) });
    expect(await finds('memory', run)).toMatchObject({
      failure: { index: 0, reason: expect.stringContaining('decided alike') as string },
    });
  });

  test('makes the same input from the same seed and index, and others from others', () => {
    for (const target of TARGETS) {
      const texts = [0, 1, 2, 3].map((index) => inspect(target.generate(new Chance(SEED, index)), { depth: 9 }));
      expect(texts).toEqual(
        [0, 1, 2, 3].map((index) => inspect(target.generate(new Chance(SEED, index)), { depth: 9 })),
      );
      expect(new Set(texts).size).toBeGreaterThan(1);
    }
  });
});
