// Runs the fault harness: `npm run test:faults -- --help`.
import { program } from './program.js';

await program.parseAsync();
