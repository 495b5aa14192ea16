import 'reflect-metadata';
import { runRoles } from '@v402/roles';

/** All roles in one process; each also runs as an app of its own, several instances side by side. */
await runRoles(['intake', 'orders', 'workflows', 'relay']);
