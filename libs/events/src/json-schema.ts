import { z } from 'zod';
import { CATALOGUE, type EventType } from './catalogue.js';

export type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * The JSON Schema (draft 2020-12) of an event's `data`. What we write is strict; what is published lets members be
 * added, since they are added within a version.
 */
export function jsonSchemaOf(type: EventType): JsonSchema {
  const { schema, dataschema, name, description } = CATALOGUE[type];
  const generated = z.toJSONSchema(schema, {
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return {
    ...generated,
    $id: dataschema,
    title: name,
    description: `${description} Members may be added within this version: ignore those you do not know.`,
  };
}
