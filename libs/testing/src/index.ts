export * from './order-draft.builder.js';
export * from './order-system/conformance.js';
export type { HeldCreate, OrderSystemFixture } from './order-system/fixture.js';
