export { LocalSystem, type LocalSystemOptions, type PublishedEvent } from './local-system.js';
export { type StandaloneProcess } from './standalone-process.js';
