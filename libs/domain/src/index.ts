export * from './clock.js';
export * from './errors.js';
export * from './refusal.js';
export * from './terms.js';
export * from './time.js';
