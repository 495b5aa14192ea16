export { kafkaConnection } from './core/kafka.js';
export { runRoles, startRoles, type RunOptions } from './run-roles.js';
export { readTrustRegistry } from './intake/trust.js';
export { KafkaEventPublisher } from './relay/kafka-event-publisher.js';
export { openOrderSystem, type OrderSystemConfig } from './orders/order-system.provider.js';
export { openOperations } from './operations/operations.js';
export { reconcilePolicy } from './workflows/reconcile-policy.js';
