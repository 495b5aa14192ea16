export * from './acceptance-message.js';
export * from './canonical.js';
export * from './envelope.js';
export { isExpired } from './rules.js';
export * from './signature-verifier.js';
export { parseStrictJson, type JsonValue, type StrictJsonResult } from './strict-json.js';
export * from './verify-contract.js';
