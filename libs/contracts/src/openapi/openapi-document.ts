import { errorTable, problem, problemMediaType, type ErrorCode } from '../errors.ts';
import { routeOwner, type ErrorBody } from '../routes.ts';
import { answerSchemas, type AnswerName } from './answer-schemas.ts';
import {
  ownRefusalsOf,
  refusedAnywhere,
  routeTags,
  type DocumentedAnswer,
  type DocumentedParameter,
  type DocumentedRoute,
} from './documented-route.ts';
import { documentedRoutes } from './documented-routes.ts';
import { jsonSchema, jsonSchemas, type JsonSchema } from './json-schemas.ts';
import { pathParameters } from './parameters.ts';
import { requestSchemas, type RequestName } from './request-schemas.ts';

const prefix = '#/components/schemas/';
const reference = (name: string) => ({ $ref: prefix + name });

/** Version of the public interface, not of the software. */
export const interfaceVersion = '1.0.0';

/** The public HTTP interface as an OpenAPI 3.1 document, made from the schemas that the services check by. */
export function openApiDocument(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of documentedRoutes) (paths[route.path] ??= {})[route.method] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Boardwire',
      version: interfaceVersion,
      description: 'Boards with a gap-free log: publish, read, and follow live with resume by cursor.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(routeTags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: {
        ...jsonSchemas(requestSchemas, { io: 'input', prefix }),
        ...jsonSchemas(answerSchemas, { io: 'output', prefix }),
      },
      responses: { Refusal: refusalOf(refusedAnywhere, 'problem') },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operationOf(route: DocumentedRoute): Record<string, unknown> {
  const { id, tag, summary, description, access, body } = route;
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const parameters = [...names.map(pathParameter), ...(route.parameters ?? []).map(parameterOf)];
  const role = { admin: 'Needs the role `admin`.', auditor: 'Needs the role `auditor` or `admin`.' }[access as 'admin'];
  const text = [description, role].filter((part) => part !== undefined).join(' ');
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(text === '' ? {} : { description: text }),
    security: access === 'public' ? [] : [{ bearer: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: route.isBodyOptional !== true, content: bodyOf(body) } }),
    responses: { ...answersOf(route), ...refusalAnswers(route) },
  };
}

function pathParameter(name: string): Record<string, unknown> {
  const known = pathParameters[name];
  if (known === undefined) throw new Error(`{${name}} has no entry in pathParameters`);
  const { summary, schema, example } = known;
  return { name, in: 'path', required: true, description: summary, schema: jsonSchema(schema), example };
}

function parameterOf({ name, in: place, summary, schema, isList, isRequired, example }: DocumentedParameter) {
  const single = jsonSchema(schema);
  return {
    name,
    in: place,
    required: isRequired === true,
    description: summary,
    schema: isList === true ? { type: 'array', items: single } : single,
    ...(isList === true ? { style: 'form', explode: true } : {}),
    example,
  };
}

function bodyOf(body: NonNullable<DocumentedRoute['body']>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).map(([mediaType, name]: [string, RequestName | 'bytes']) => [
      mediaType,
      name === 'bytes' ? {} : { schema: reference(name), example: requestSchemas[name].example },
    ]),
  );
}

function answersOf({ answers }: DocumentedRoute): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { summary, content }]: [string, DocumentedAnswer]) => [
      status,
      { description: summary, ...(content === undefined ? {} : { content: contentOf(content) }) },
    ]),
  );
}

function contentOf(content: NonNullable<DocumentedAnswer['content']>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(content).map(([mediaType, name]: [string, AnswerName | 'text']) => [
      mediaType,
      name === 'text'
        ? { schema: { type: 'string' } }
        : { schema: reference(name), example: answerSchemas[name].example },
    ]),
  );
}

/** One answer for each status, with the codes that it can carry here; `default` is what any route may answer. */
function refusalAnswers(route: DocumentedRoute): Record<string, unknown> {
  const own = statusesOf(ownRefusalsOf(route));
  const anywhere = statusesOf(refusedAnywhere);
  const errors = routeOwner(route.path)?.errors ?? 'problem';
  const answers = [...own].map(([status, codes]): [string, unknown] => [
    String(status),
    refusalOf([...codes, ...(anywhere.get(status) ?? [])], errors),
  ]);
  return {
    ...Object.fromEntries(answers),
    ...(errors === 'problem' ? { default: { $ref: '#/components/responses/Refusal' } } : {}),
  };
}

function statusesOf(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorTable[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

const refusalSchemas = { axonchat: 'AxonchatRefusal', tradingroom: 'TradingRefusal' } as const;

function refusalOf(codes: readonly ErrorCode[], errors: ErrorBody): Record<string, unknown> {
  const schema: JsonSchema = { allOf: [reference('Problem'), { properties: { code: { enum: codes } } }] };
  return {
    description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}`).join('; '),
    content:
      errors === 'problem'
        ? { [problemMediaType]: { schema, example: problem(codes[0]!) } }
        : { 'application/json': { schema: reference(refusalSchemas[errors]) } },
  };
}
