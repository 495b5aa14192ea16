import { readFileSync } from 'node:fs';
import { loadTrustRegistry, TrustedSignatureVerifier } from '@v402/signatures';
import { agreed, IntakeScene } from '../support/intake-scene.js';
import { SIGNERS, TRUST_REGISTRY } from '../support/trade.js';

/** Real: PostgreSQL and signatures. The messages are handed in directly, the registry changes between them. */
let scene: IntakeScene;

beforeAll(async () => {
  scene = await IntakeScene.open();
});

afterAll(() => scene.close());

/** The registry of the tests, the seller's key revoked. */
function revoked(): TrustedSignatureVerifier {
  const registry = JSON.parse(readFileSync(TRUST_REGISTRY, 'utf8')) as { parties: { keys: { kid: string }[] }[] };
  const key = registry.parties.flatMap(({ keys }) => keys).find(({ kid }) => kid === SIGNERS.seller.kid)!;
  Object.assign(key, { revokedAt: '2026-01-01T00:00:00Z', revocationReason: 'compromised' });
  return new TrustedSignatureVerifier(loadTrustRegistry(Buffer.from(JSON.stringify(registry))));
}

const digestsOf = async (outcome: string): Promise<string[]> => {
  const sql = `SELECT encode(registry_digest, 'hex') AS digest FROM v402.decision WHERE outcome = $1 ORDER BY id`;
  return (await scene.sql<{ digest: string }>(sql, [outcome])).map(({ digest }) => digest);
};

test('each decision is made by the registry in use, and names it; what is known stays as it was decided', async () => {
  let inUse = scene.verifier;
  const handler = scene.handlerWith({ verifierInUse: () => inUse });
  const first = scene.message(agreed({ negotiationId: 'before' }).envelope);
  expect(await handler.handle([first])).toMatchObject({ accepted: 1 });

  inUse = revoked();
  const second = scene.message(agreed({ negotiationId: 'after' }).envelope);
  expect(await handler.handle([second])).toMatchObject({ rejected: 1 });
  expect(await handler.handle([first])).toMatchObject({ duplicates: 1 });

  expect(inUse.registryDigest).not.toBe(scene.verifier.registryDigest);
  expect(await digestsOf('accepted')).toEqual([scene.verifier.registryDigest]);
  expect(await digestsOf('rejected')).toEqual([inUse.registryDigest]);
});

test('what is looked at together is judged by one registry, whenever it changes', async () => {
  const later = revoked();
  let asked = 0;
  const handler = scene.handlerWith({ verifierInUse: () => (asked++ === 0 ? scene.verifier : later) });
  const batch = ['one', 'two', 'three'].map((negotiationId) => scene.message(agreed({ negotiationId }).envelope));
  expect(await handler.handle(batch)).toMatchObject({ accepted: 3, rejected: 0 });
});
