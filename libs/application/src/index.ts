export * from './ports/order-system.js';
