import { describe, expect, test } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { clientFrameSchema, eventFrameSchema, reservedEventNames, serverFrameSchema } from '../src/index.ts';
import {
  asyncApiDocument,
  clientMessages,
  documentedRoutes,
  openApiDocument,
  ownRefusalsOf,
  serverMessages,
  streamMessages,
} from '../src/documents.ts';

interface Example {
  at: string;
  schema: unknown;
  value: unknown;
}

const openApi = openApiDocument();
const asyncApi = asyncApiDocument();
const formats = addFormats as unknown as (ajv: Ajv | Ajv2020) => void;

/** Every example of a document beside the schema that it is one of. */
function examplesOf(value: unknown, at = ''): Example[] {
  if (typeof value !== 'object' || value === null) return [];
  const { schema, example, examples } = value as { schema?: unknown; example?: unknown; examples?: unknown };
  const here: Example[] = schema !== undefined && example !== undefined ? [{ at, schema, value: example }] : [];
  if (Array.isArray(examples) && at.startsWith('/components/schemas/')) {
    here.push(...examples.map((one: unknown) => ({ at, schema: value, value: one })));
  }
  return [...here, ...Object.entries(value).flatMap(([key, inner]) => examplesOf(inner, `${at}/${key}`))];
}

function compiled(document: object, make: Ajv | Ajv2020): (schema: unknown) => ValidateFunction {
  formats(make);
  make.addSchema({ $id: 'document', ...document });
  // References of the document are to its own parts.
  const absolute = (schema: unknown): object =>
    JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/')) as object;
  return (schema) => make.compile(absolute(schema));
}

const options = { strict: false, allErrors: true } as const;

describe('the OpenAPI document', () => {
  const validator = compiled(openApi, new Ajv2020(options));
  test.each(examplesOf(openApi))('has a valid example at $at', ({ schema, value }) => {
    const validate = validator(schema);
    validate(value);
    expect(validate.errors ?? []).toEqual([]);
  });
  test('gives every operation a name of its own and an example for each body', () => {
    expect(new Set(documentedRoutes.map(({ id }) => id)).size).toBe(documentedRoutes.length);
    for (const { answers } of documentedRoutes) expect(Object.keys(answers).length).toBeGreaterThan(0);
  });
  test('says for every route with a token that it can be refused', () => {
    const withToken = documentedRoutes.filter(({ access }) => access !== 'public');
    for (const route of withToken) expect(ownRefusalsOf(route)).toContain('token_missing');
  });
});

describe('the AsyncAPI document', () => {
  const { messages } = (
    asyncApi as { components: { messages: Record<string, { payload: unknown; examples: { payload: unknown }[] }> } }
  ).components;
  const validator = compiled(asyncApi, new Ajv(options));
  test.each(Object.entries(messages))('has a valid example of %s', (_name, { payload, examples }) => {
    const validate = validator(payload);
    for (const example of examples) {
      validate(example.payload);
      expect(validate.errors ?? []).toEqual([]);
    }
    expect(examples).toHaveLength(1);
  });
  const typesOf = (union: { options: readonly unknown[] }): string[] =>
    union.options.flatMap((option) => {
      const { shape, options: inner } = option as { shape?: { type: { value: string } }; options?: readonly unknown[] };
      return shape === undefined ? typesOf({ options: inner! }) : [shape.type.value];
    });
  test('has every frame of both sides, and no other', () => {
    expect(Object.keys(clientMessages).toSorted()).toEqual(typesOf(clientFrameSchema).toSorted());
    const sent = new Set([...typesOf(serverFrameSchema), eventFrameSchema.shape.type.value]);
    expect(Object.keys(serverMessages).toSorted()).toEqual([...sent].toSorted());
  });
  test('has every block of the stream', () => {
    const ofBrowsers = new Set(['open', 'error', 'message']);
    const named = Object.keys(streamMessages).filter((name) => name !== 'event');
    expect(named.toSorted()).toEqual(reservedEventNames.filter((name) => !ofBrowsers.has(name)).toSorted());
  });
});
