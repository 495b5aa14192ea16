import type { JsonSchema } from '../json-schema.js';

/** A JSON Schema below the root: what zod calls a schema, or `true`/`false`. */
type Node = JsonSchema | boolean;

/** One member of an object, over all variants of the object where there are several. */
export interface Member {
  readonly name: string;
  /** Its schemas, one for each variant that says something else of it. */
  readonly schemas: readonly JsonSchema[];
  /** Present in every variant, and required there. */
  readonly always: boolean;
}

/** The schema that a `$ref` to one of the root's `$defs` stands for, else the schema itself. */
export function resolve(root: JsonSchema, node: JsonSchema): JsonSchema {
  const name = node.$ref?.replace('#/$defs/', '');
  return name === undefined ? node : (root.$defs?.[name] ?? node);
}

export function membersOf(root: JsonSchema, node: JsonSchema): readonly Member[] {
  const variants = variantsOf(root, node);
  const names = new Set(variants.flatMap((variant) => Object.keys(variant.properties ?? {})));
  return [...names].map((name) => ({
    name,
    schemas: distinct(variants.flatMap((variant) => asSchema(variant.properties?.[name]))),
    always: variants.every((variant) => variant.required?.includes(name) ?? false),
  }));
}

/** Paths of the members marked as personal data, `[]` standing for any index: `items[].name`. */
export function personalDataOf(root: JsonSchema, node: JsonSchema = root, path = ''): readonly string[] {
  if (node['x-personal-data'] === true) return [path];
  const target = resolve(root, node);
  const inItems = asSchema(target.items).flatMap((item) => personalDataOf(root, item, `${path}[]`));
  const inMembers = membersOf(root, target).flatMap(({ name, schemas }) =>
    schemas.flatMap((schema) => personalDataOf(root, schema, path === '' ? name : `${path}.${name}`)),
  );
  return [...inItems, ...inMembers];
}

function variantsOf(root: JsonSchema, node: JsonSchema): readonly JsonSchema[] {
  const target = resolve(root, node);
  return target.oneOf?.flatMap((variant) => variantsOf(root, variant)) ?? [target];
}

function asSchema(node: Node | readonly Node[] | undefined): readonly JsonSchema[] {
  return typeof node === 'object' && !Array.isArray(node) ? [node as JsonSchema] : [];
}

function distinct(schemas: readonly JsonSchema[]): readonly JsonSchema[] {
  return [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
}
