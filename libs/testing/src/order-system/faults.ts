import { orderDifferences } from '@v402/application';
import { RetryableError } from '@v402/domain';
import { createWhole, inTime, newDraft, options, type SuiteContext } from './suite.js';

export function describeFaults({ capabilities, fixture, system }: SuiteContext): void {
  describe('faults', () => {
    test('error: an answer that was lost is unknown, and a look-up finds the order', async () => {
      const draft = newDraft();
      fixture().loseNextAnswer();
      expect(await system().create(draft, options())).toMatchObject({ outcome: 'unknown' });
      expect(await fixture().countOrders(draft)).toBe(1);
      expect(await system().findByReference(draft, inTime())).toMatchObject({ found: 'one' });
      const snapshot = await system().readBack(draft, inTime());
      expect(snapshot && orderDifferences(draft, snapshot)).toEqual([]);
    });

    test('error: a create that breaks off is never reported as done', async () => {
      const draft = newDraft();
      fixture().breakNextCreate();
      const { outcome } = await system().create(draft, options());
      if (capabilities.atomicCreate) {
        expect(['retryable', 'unknown']).toContain(outcome);
        expect(await fixture().countOrders(draft)).toBe(0);
        await createWhole(system(), draft);
      } else {
        // Half an order may stand now, so nothing but a look-up may decide.
        expect(outcome).toBe('unknown');
      }
    });

    test('error: an order system that cannot be reached has written nothing, and says so', async () => {
      const draft = newDraft();
      const { unreachable } = fixture();
      expect(await unreachable.create(draft, options())).toMatchObject({ outcome: 'retryable' });
      expect(await unreachable.cancel(draft, 'conformance', inTime())).toMatchObject({
        outcome: capabilities.cancel === 'none' ? 'refused' : 'retryable',
      });
      await expect(unreachable.findByReference(draft, inTime())).rejects.toBeInstanceOf(RetryableError);
      await expect(unreachable.readBack(draft, inTime())).rejects.toBeInstanceOf(RetryableError);
      await expect(unreachable.status(draft, inTime())).rejects.toBeInstanceOf(RetryableError);
      expect(await fixture().countOrders(draft)).toBe(0);
    });

    test('error: a create whose deadline has passed before it began writes nothing', async () => {
      const draft = newDraft();
      expect(await system().create(draft, options(AbortSignal.abort()))).toMatchObject({ outcome: 'retryable' });
      expect(await fixture().countOrders(draft)).toBe(0);
    });

    test('error: a create whose deadline passes on the way answers without waiting for its end, and truly', async () => {
      const draft = newDraft();
      const held = fixture().holdNextCreate();
      const deadline = new AbortController();
      const answer = system().create(draft, options(deadline.signal));
      await held.reached;
      deadline.abort();
      // Nothing lets the order system go on before this answer has come.
      const { outcome } = await answer;
      expect(['retryable', 'unknown']).toContain(outcome);

      held.release();
      if (outcome === 'retryable') {
        // Whoever says that nothing was written must stay right once the order system has had its time.
        await new Promise((resolve) => setTimeout(resolve, Math.min(capabilities.serverTimeoutMs, 2_000)));
        expect(await fixture().countOrders(draft)).toBe(0);
      }
      const created = await system().create(draft, options());
      expect(['created', 'already_exists']).toContain(created.outcome);
      if (capabilities.uniqueRef !== 'none') expect(await fixture().countOrders(draft)).toBe(1);
    });
  });
}
