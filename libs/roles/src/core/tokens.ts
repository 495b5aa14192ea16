/** What Nest injects that no class names. */
export const LOG = Symbol('log');
/** Names this process in leases: its name, its process id, and a part that no restart repeats. */
export const OWNER = Symbol('owner');
