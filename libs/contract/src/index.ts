export * from './envelope.js';
export * from './signature-verifier.js';
