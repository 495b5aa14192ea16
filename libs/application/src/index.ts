export * from './ports/event-store.js';
export * from './ports/evidence-store.js';
export * from './ports/order-system.js';
export * from './ports/progress-store.js';
export * from './ports/seams.js';
export * from './ports/settlement-store.js';
export * from './ports/unit-of-work.js';
export * from './ports/work-store.js';
