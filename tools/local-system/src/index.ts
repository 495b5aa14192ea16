export { LocalSystem, type LocalSystemOptions, type PublishedEvent } from './local-system.js';
export { type App, type AppProcess } from './app-process.js';
