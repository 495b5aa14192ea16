import { SettlementScene } from '../support/settlement-scene.js';
import { trade } from '../support/trade.js';

describe('the spine, black box: Kafka, PostgreSQL and the standalone app are real', () => {
  let scene: SettlementScene;

  beforeAll(async () => {
    scene = await SettlementScene.open();
    scene.start('standalone');
  });

  afterAll(async () => {
    await scene.close();
  });

  test('a signed contract becomes one order per side, and its events', async () => {
    const { contract, envelope } = trade({ negotiationId: 'spine-1' });
    await scene.send([envelope]);
    await scene.until('two orders', async () => (await scene.count('orderbook.order_head')) === 2);
    await scene.settled();
    const events = await scene.events('events');
    expect(events.map(({ type }) => type).sort()).toEqual([
      'org.v402.order.created.v1',
      'org.v402.order.created.v1',
      'org.v402.settlement.accepted.v1',
    ]);
    expect(contract.terms.total).toBe("617.00");
  });
});
