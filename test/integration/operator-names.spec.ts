import { DEFAULT_TOPICS } from '@v402/events';
import { OperationsScene, refusal } from '../support/operations-scene.js';

/** Operators whose commands are configured otherwise than the services. Real: PostgreSQL, intake, operators' role. */
let scene: OperationsScene;

beforeAll(async () => {
  scene = await OperationsScene.open();
});
afterAll(() => scene.close());

const SOURCE = 'urn:v402:handler:test';
const OTHER_TOPICS = {
  settlement: `other.${DEFAULT_TOPICS.settlement}`,
  payments: `other.${DEFAULT_TOPICS.payments}`,
  deliveries: `other.${DEFAULT_TOPICS.deliveries}`,
  rejections: `other.${DEFAULT_TOPICS.rejections}`,
};

test.each([
  ['another instance', { source: 'urn:v402:handler:other', topics: DEFAULT_TOPICS }],
  ['another prefix of topics', { source: SOURCE, topics: OTHER_TOPICS }],
])('%s: refused, and nothing is changed', async (_, naming) => {
  const { second } = await scene.conflict();
  const before = await scene.office.scene.content();
  const handler = scene.operator.handler({ naming });
  const request = { actor: 'olivia', reason: 'the parties withdrew it' };
  await expect(handler.reject(second.contractId, request)).rejects.toEqual(refusal('names_differ'));
  expect(await scene.office.scene.content()).toEqual(before);
  expect(await scene.operator.reject(second.contractId)).toMatchObject({ outcome: 'done' });
});
