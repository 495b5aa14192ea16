import type { EventType } from './catalogue.js';

/** What tells the events of one type, subject and side apart: the last two parts of an event's `id`. */
export interface IdParts {
  /** Members of `data`, written `<member>`. Of several templates the first one whose members are all there counts. */
  readonly subjectId: readonly [string, ...string[]];
  /** `<member>` of `data`, or `1` where the state is entered once. `count`: as often as this event occurred so far. */
  readonly n: '1' | '<attempt>' | 'count';
}

const once = (...subjectId: IdParts['subjectId']): IdParts => ({ subjectId, n: '1' });

export const ID_PARTS: { readonly [T in EventType]: IdParts } = {
  'org.v402.settlement.accepted.v1': once('<contractId>'),
  'org.v402.settlement.superseded.v1': once('<contractId>'),
  'org.v402.hold.placed.v1': once('<holdId>'),
  'org.v402.hold.released.v1': once('<holdId>'),
  'org.v402.order.created.v1': once('<kind>'),
  'org.v402.order.changed.v1': once('<kind>'),
  'org.v402.order.rejected.v1': { subjectId: ['<kind>'], n: 'count' },
  'org.v402.order.outcome_unknown.v1': { subjectId: ['<kind>'], n: 'count' },
  'org.v402.payment.scheduled.v1': once('<legId>'),
  'org.v402.payment.requested.v1': { subjectId: ['<legId>'], n: '<attempt>' },
  'org.v402.invoice.requested.v1': { subjectId: ['<legId>'], n: '<attempt>' },
  'org.v402.delivery.requested.v1': { subjectId: ['<deliveryId>'], n: '<attempt>' },
  'org.v402.contract.rejected.v1': once('<rawDigest>:<code>'),
  'org.v402.contract.quarantined.v1': once('<contractId>', '<rawDigest>'),
};
