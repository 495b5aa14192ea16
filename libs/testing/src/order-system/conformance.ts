import type { OrderSystem, OrderSystemCapabilities } from '@v402/application';
import { describeCancelling } from './cancelling.js';
import { describeCreating } from './creating.js';
import { describeFaults } from './faults.js';
import type { OrderSystemFixture } from './fixture.js';
import { describePreflight } from './preflight.js';
import { describeReferences } from './references.js';
import type { SuiteContext } from './suite.js';

export interface OrderSystemConformance {
  readonly name: string;
  /** What the adapter declares; it decides which behaviour is asked for, and never that none is. */
  readonly capabilities: OrderSystemCapabilities;
  /** Started once for all tests, which use references of their own. */
  readonly create: () => Promise<OrderSystemFixture>;
}

/** Registers the tests that every adapter of an order system has to pass. */
export function orderSystemConformance({ name, capabilities, create }: OrderSystemConformance): void {
  describe(`order system: ${name}`, () => {
    let fixture: OrderSystemFixture;
    let system: OrderSystem;
    const context: SuiteContext = { capabilities, fixture: () => fixture, system: () => system };

    beforeAll(async () => {
      fixture = await create();
      system = fixture.system;
    });
    afterAll(async () => {
      await fixture.close();
    });

    test('behavior: declares what this suite was told', () => {
      expect(system.capabilities).toEqual(capabilities);
      expect(system.name).toMatch(/^[a-z][a-z0-9_-]*$/);
      expect(capabilities.serverTimeoutMs).toBeGreaterThan(0);
      expect(capabilities.maxConcurrency).toBeGreaterThanOrEqual(1);
      expect(capabilities.refMaxLength).toBeGreaterThanOrEqual(26);
    });
    describeCreating(context);
    describeReferences(context);
    describeFaults(context);
    describePreflight(context);
    describeCancelling(context);
  });
}
