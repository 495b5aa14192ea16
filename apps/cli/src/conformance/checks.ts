import { TerminalError } from '@v402/domain';
import { loadTrustRegistry, TrustRegistryError } from '@v402/signatures';
import type { Change, IntakeUnderTest } from './intake-under-test.js';
import { inputOf, type VectorCase, type VectorRegistry, type Vectors } from './vectors.js';

/** What should have come out of a check, and what did. */
interface Mismatch {
  readonly expected: string;
  readonly got: string;
}

/** One vector, ready to be checked. Checks are independent of each other; they run one at a time. */
export interface Check {
  readonly name: string;
  /** What the manifest counts it as: a registry, or a case by its result. */
  readonly countedAs: 'registry' | { readonly result: string };
  /** @throws RetryableError when the database goes away */
  run(intake: IntakeUnderTest): Promise<Mismatch | undefined>;
}

/** The checks of a folder: first its registries, then its cases. */
export function checksOf({ registries, cases }: Vectors): readonly Check[] {
  return [
    ...registries.map((vector): Check => ({
      name: `registry ${vector.name}`,
      countedAs: 'registry',
      run: () => Promise.resolve(checkRegistry(vector)),
    })),
    ...[...cases.values()].map((vector): Check => ({
      name: vector.name,
      countedAs: { result: 'code' in vector.expect ? vector.expect.code : vector.expect.outcome },
      run: (intake) => checkCase(vector, cases, intake),
    })),
  ];
}

/** Where fewer checks have run than the manifest says, in sentences. */
export function shortfallsOf({ manifest }: Vectors, ran: readonly Check[]): readonly string[] {
  const results = ran.flatMap(({ countedAs }) => (countedAs === 'registry' ? [] : [countedAs.result]));
  const counts: readonly (readonly [string, number, number])[] = [
    ['registries', manifest.registries, ran.length - results.length],
    ['cases', manifest.count, results.length],
    ...Object.entries(manifest.byResult).map(
      ([result, count]) => [`cases of ${result}`, count, results.filter((one) => one === result).length] as const,
    ),
  ];
  return counts.flatMap(([what, expected, got]) =>
    got < expected ? [`expected ${expected} ${what}, got ${got}`] : [],
  );
}

function checkRegistry({ registry, problems }: VectorRegistry): Mismatch | undefined {
  return compare(registryText(problems), registryText(problemsOf(registry)));
}

function problemsOf(registry: unknown): readonly string[] {
  try {
    loadTrustRegistry(Buffer.from(JSON.stringify(registry), 'utf8'));
    return [];
  } catch (error) {
    if (error instanceof TrustRegistryError) return error.problems;
    throw error;
  }
}

const registryText = (problems: readonly string[]): string =>
  problems.length === 0 ? 'good' : `faults at ${problems.join(' ')}`;

/** Every message of the case has to end as it should: those that come first, too. */
async function checkCase(
  vector: VectorCase,
  cases: Vectors['cases'],
  intake: IntakeUnderTest,
): Promise<Mismatch | undefined> {
  await intake.clear();
  const earlier = vector.after.flatMap((name) => cases.get(name) ?? []);
  for (const one of [...earlier, vector]) {
    const mismatch = compare(outcomeText(one.expect), await outcomeOf(one, intake));
    if (mismatch === undefined) continue;
    return one === vector ? mismatch : { ...mismatch, got: `${mismatch.got} of ${one.name}, which comes before it` };
  }
  return undefined;
}

async function outcomeOf(vector: VectorCase, intake: IntakeUnderTest): Promise<string> {
  const { now: arrival, handlerId } = vector;
  try {
    const changes = await intake.handle({ value: inputOf(vector), arrival, handlerId });
    return changes.length === 0 ? 'nothing recorded' : changes.map(outcomeText).join(' and ');
  } catch (error) {
    // A database that is away says nothing of the case, and ends the run.
    if (error instanceof TerminalError) return `the error ${error.code}`;
    throw error;
  }
}

function outcomeText(of: VectorCase['expect'] | Change): string {
  switch (of.outcome) {
    case 'accepted':
    case 'duplicate':
      return `${of.outcome} ${of.contractId ?? ''} ${of.shortRef ?? ''}`;
    case 'rejected':
    case 'quarantined':
      return `${of.outcome} ${of.code ?? ''}`;
  }
}

function compare(expected: string, got: string): Mismatch | undefined {
  return expected === got ? undefined : { expected, got };
}
