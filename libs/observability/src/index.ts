export { Health, type Condition } from './health/health.js';
export { OperatorServer, type OperatorServerOptions } from './http/operator-server.js';
export { createLog, type Logger } from './log.js';
export { LogAlarms } from './log-alarms.js';
export { Metrics } from './metrics/metrics.js';
export { CountedAlarms, ObservedOrderSystem, ObservedPublisher } from './metrics/observed-ports.js';
export { ObservedUnitOfWork } from './metrics/observed-unit-of-work.js';
export { timed } from './metrics/timed.js';
export { nestLog } from './nest-log.js';
