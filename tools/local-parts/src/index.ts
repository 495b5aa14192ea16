export { KAFKA_VARIABLE, POSTGRES_VARIABLE } from './addresses.js';
export { stopKept } from './kept-parts.js';
export {
  startLocalParts,
  type KafkaNode,
  type KafkaPart,
  type LocalParts,
  type LocalPartsOptions,
  type PostgresPart,
} from './local-parts.js';
export { PartsError, type PartsErrorCode } from './parts-error.js';
export type { PostgresStop } from './postgres-server.js';
