import { z } from 'zod';
import { jsonValueSchema } from '../event.ts';

export type JsonSchema = Record<string, unknown>;

/** Schemas by name, referring to each other by `prefix` + name. What a check in code adds beyond JSON Schema is left out. */
export function jsonSchemas(
  named: Readonly<Record<string, { schema: z.ZodType; example?: unknown }>>,
  options: { io: 'input' | 'output'; prefix: string; target?: 'draft-2020-12' | 'draft-7' },
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  registry.add(jsonValueSchema, { id: 'JsonValue' });
  for (const [id, { schema }] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: options.io,
    target: options.target ?? 'draft-2020-12',
    uri: (id) => `${options.prefix}${id}`,
    unrepresentable: 'any',
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => {
      const { example } = named[id] ?? {};
      const tidy = (options.io === 'output' ? opened(schema) : schema) as JsonSchema;
      const { $schema: _dialect, $id: _address, ...rest } = tidy;
      return [id, example === undefined ? rest : { ...rest, examples: [example] }];
    }),
  );
}

/** One schema without a name of its own. */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}

/** Readers of an answer ignore what they don't know, so that a field can be added: its schema must not forbid that. */
function opened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, inner]) => key !== 'additionalProperties' || inner !== false);
  return Object.fromEntries(entries.map(([key, inner]) => [key, opened(inner)]));
}
