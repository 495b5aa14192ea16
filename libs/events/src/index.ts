export { CATALOGUE, EVENT_TYPES, type DataOf, type EventType } from './catalogue.js';
export type { EventDefinition } from './definition.js';
export { encodeEvent, isTraceparent, MAX_EVENT_BYTES, type EncodedEvent, type EventAttributes } from './envelope.js';
export { endToEndId, eventId, handlerSource, idempotencyKey, type RequestedWork } from './identity.js';
export { expectedEventId, readEvent, type ReadEvent } from './read-event.js';
export { jsonSchemaOf, type JsonSchema } from './json-schema.js';
export { DEFAULT_TOPICS, type TopicKey } from './topics.js';
