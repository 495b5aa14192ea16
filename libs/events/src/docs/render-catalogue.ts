import { CATALOGUE, EVENT_TYPES, type EventType } from '../catalogue.js';
import { jsonSchemaOf, type JsonSchema } from '../json-schema.js';
import { DEFAULT_TOPICS } from '../topics.js';
import { ID_NAMESPACE } from '../identity.js';
import { ID_PARTS } from '../id-parts.js';
import { membersOf, personalDataOf, resolve, type Member } from './schema-walk.js';

/**
 * The generated part of docs/events.md: an overview, one section per event, the shared shapes. Markdown.
 * @param examples one event of each type, as JSON laid out for reading
 */
export function renderCatalogue(examples: Readonly<Record<EventType, string>>): string {
  return [
    table(
      ['Event', 'Topic', 'Personal data in `data`'],
      EVENT_TYPES.map((type) => [
        `[\`${CATALOGUE[type].name}\`](#${anchorOf(CATALOGUE[type].name)})`,
        `\`${DEFAULT_TOPICS[CATALOGUE[type].topic]}\``,
        codeList(personalDataOf(jsonSchemaOf(type))),
      ]),
    ),
    ...EVENT_TYPES.map((type) => renderEvent(type, examples[type])),
    renderIds(),
    renderSharedShapes(),
  ].join('\n\n');
}

function renderEvent(type: EventType, example: string): string {
  const { name, topic, description, actor } = CATALOGUE[type];
  const schema = jsonSchemaOf(type);
  return [
    `### ${name}`,
    `\`${type}\` on \`${DEFAULT_TOPICS[topic]}\` · [JSON Schema](schemas/${type}.json)`,
    description,
    `**Who acts:** ${actor}`,
    renderMembers(schema, schema),
    `\`\`\`json\n${example.trimEnd()}\n\`\`\``,
  ].join('\n\n');
}

function renderMembers(root: JsonSchema, schema: JsonSchema): string {
  return table(
    ['Member of `data`', 'Shape', 'Always', 'Meaning'],
    membersOf(root, schema).map((member) => [
      `\`${member.name}\``,
      member.schemas.map(shapeOf).join(' or '),
      member.always ? 'yes' : 'no',
      meaningOf(root, member),
    ]),
  );
}

function renderIds(): string {
  const rows = EVENT_TYPES.map((type) => {
    const { subjectId, n } = ID_PARTS[type];
    const templates = subjectId.map((template) => `\`${template}\``).join(', or where that is absent ');
    return [`\`${CATALOGUE[type].name}\``, templates, n === 'count' ? 'how often it occurred, from 1' : `\`${n}\``];
  });
  return [
    '### Ids',
    `An event's \`id\` is the UUIDv5, in the namespace \`${ID_NAMESPACE}\`, of the UTF-8 bytes of this JSON array`,
    '```text\n["<source>","<subject>","<side>","<type>","<subject id>",<n>]\n```',
    'in its RFC 8785 form. `<side>` is `data.side`, and `null` without quotes where `data` has none. The last two are, with members of `data` in angle brackets:',
    table(['Event', 'Subject id', '`n`'], rows),
  ].join('\n\n');
}

function renderSharedShapes(): string {
  const shapes = new Map(EVENT_TYPES.flatMap((type) => Object.entries(jsonSchemaOf(type).$defs ?? {})));
  const rows = [...shapes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => [`\`${name}\``, shapeOf(schema), schema.description ?? '']);
  return `### Shared shapes\n\nA member whose name ends in \`?\` may be absent.\n\n${table(['Shape', 'Members', 'Meaning'], rows)}`;
}

function meaningOf(root: JsonSchema, { schemas }: Member): string {
  const texts = schemas.map((schema) => schema.description ?? resolve(root, schema).description ?? '');
  return [...new Set(texts)].join(' ').trim();
}

/** How a schema is written in a table: a shared shape by its name, an object by its members. */
function shapeOf(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return `\`${schema.$ref.replace('#/$defs/', '')}\``;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return codeList(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.type === 'array' && typeof schema.items === 'object' && !Array.isArray(schema.items)) {
    return `list of ${shapeOf(schema.items)}`;
  }
  if (schema.properties !== undefined) {
    return codeList(membersOf(schema, schema).map(({ name, always }) => (always ? name : `${name}?`)));
  }
  return [schema.type ?? 'any'].flat().join(' or ');
}

const anchorOf = (heading: string): string => heading.replaceAll('.', '');
const codeList = (items: readonly string[]): string => items.map((item) => `\`${item}\``).join(' ') || 'none';

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
