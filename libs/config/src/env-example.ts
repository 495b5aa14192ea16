import { READER_VARIABLES } from './config.js';
import { VARIABLES, type VariableName } from './variables.js';

const names = Object.keys(VARIABLES) as VariableName[];

/** The text of `.env.example`: every variable with its meaning, the roles and commands that read it, and its default or an example. */
export function envExample(): string {
  const blocks = names.map((name) => {
    const { schema, documentation } = VARIABLES[name];
    const readers = Object.entries(READER_VARIABLES).flatMap(([reader, read]: [string, readonly string[]]) =>
      read.includes(name) ? [reader] : [],
    );
    const isRequired = !schema.safeParse(undefined).success;
    const hasDefault = !isRequired && schema.safeParse(undefined).data !== undefined;
    const kind = isRequired ? 'required' : hasDefault ? 'default shown' : 'optional';
    const line = `${name}=${documentation.example}`;
    return `# ${documentation.description}\n# (${kind}; read by ${readers.join(', ')})\n${isRequired ? line : `# ${line}`}\n`;
  });
  return `# Configuration of v402 Settlement. Written by \`npm run docs:config\` from libs/config; do not edit.\n\n${blocks.join('\n')}`;
}
