import 'reflect-metadata';
import { runRoles } from '@v402/roles';

await runRoles(['intake']);
