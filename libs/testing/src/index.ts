export * from './decorated-unit-of-work.js';
export * from './order-draft.builder.js';
export * from './order-system/conformance.js';
export * from './order-system/scripted-order-system.js';
export type { HeldCreate, OrderSystemFixture } from './order-system/fixture.js';
