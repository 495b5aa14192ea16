export { loadConfig, ROLES, type ConfigOf, type Role, type RoleConfig } from './config.js';
export { envExample } from './env-example.js';
