export { loadConfig, ROLES, type Role, type RoleConfig } from './config.js';
export { envExample } from './env-example.js';
