export { createLog, type Logger } from './log.js';
export { LogAlarms } from './log-alarms.js';
export { nestLog } from './nest-log.js';
