import { closeCodes, errorTable } from '@boardwire/contracts';
import { escaped, exampleOf, section, table, typeOf, type Schema } from './docs-parts.ts';
import { docsStyle } from './docs-style.ts';

interface Content {
  schema?: Schema;
  example?: unknown;
}
interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: unknown[];
  parameters?: { name: string; in: string; required: boolean; description: string; schema: Schema }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { description?: string; content?: Record<string, Content> }>;
}
export interface OpenApi {
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}
export interface AsyncApi {
  channels: Record<string, { address: string; summary: string; description: string }>;
  operations: Record<
    string,
    { action: string; channel: { $ref: string }; summary: string; messages: { $ref: string }[] }
  >;
  components: {
    messages: Record<string, { name: string; summary: string; examples: { payload: unknown }[] }>;
    schemas: Record<string, Schema>;
  };
}

/** Both documents as one page: no script, nothing from elsewhere. */
export function docsPage(openApi: OpenApi, asyncApi: AsyncApi): string {
  const { title, version, description } = openApi.info;
  const body = [
    `<header><h1>${escaped(title)} <small>${escaped(version)}</small></h1><p>${escaped(description)}</p>`,
    '<p><a href="/v1/openapi.json">OpenAPI 3.1</a> · <a href="/v1/asyncapi.json">AsyncAPI 3</a></p></header>',
    contents(openApi, asyncApi),
    '<main>',
    ...openApi.tags.map((tag) => section(tag.name, tag.description, tagged(openApi, tag.name))),
    ...Object.entries(asyncApi.channels).map(([name, channel]) =>
      section(`channel-${name}`, channel.summary, channelText(asyncApi, name)),
    ),
    section('errors', 'Error codes', errors()),
    section('closes', 'Close codes of WebSockets', closes()),
    section('schemas', 'Schemas', schemas({ ...openApi.components.schemas, ...asyncApi.components.schemas })),
    '</main>',
  ].join('\n');
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}: documents</title>` +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    `<style>${docsStyle}</style></head>\n<body>${body}</body></html>\n`
  );
}

function contents({ tags }: OpenApi, { channels }: AsyncApi): string {
  const entries: (readonly [string, string])[] = [
    ...tags.map(({ name, description }) => [name, description] as const),
    ...Object.entries(channels).map(([name, { summary }]) => [`channel-${name}`, summary] as const),
    ['errors', 'Error codes'],
    ['closes', 'Close codes'],
    ['schemas', 'Schemas'],
  ];
  const items = entries.map(([id, text]) => `<li><a href="#${id}">${escaped(text)}</a></li>`);
  return `<nav aria-label="Contents"><ul>${items.join('')}</ul></nav>`;
}

function tagged({ paths }: OpenApi, tag: string): string {
  return Object.entries(paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
    .filter(({ operation }) => operation.tags.includes(tag))
    .map(({ path, method, operation }) => operationText(method, path, operation))
    .join('\n');
}

function operationText(method: string, path: string, operation: Operation): string {
  const { operationId, summary, description, security, parameters = [], requestBody, responses } = operation;
  const rows = parameters.map(({ name, in: place, required, description: about, schema }) => [
    `<code>${escaped(name)}</code>`,
    escaped(required ? `${place}, needed` : place),
    typeOf(schema),
    escaped(about),
  ]);
  return [
    `<article id="${escaped(operationId)}"><h3><code>${method.toUpperCase()} ${escaped(path)}</code></h3>`,
    `<p>${escaped(summary)}. ${escaped(description ?? '')} ${security.length > 0 ? 'Needs a token.' : ''}</p>`,
    rows.length === 0 ? '' : table(['parameter', 'in', 'type', 'meaning'], rows),
    ...Object.entries(requestBody?.content ?? {}).map(([type, content]) => bodyText('Takes', type, content)),
    ...Object.entries(responses).map(([status, answer]) => answerText(status, answer)),
    '</article>',
  ].join('');
}

function answerText(status: string, { description, content = {} }: Operation['responses'][string]): string {
  if (status === 'default') return '';
  const bodies = Number(status) < 400 ? Object.entries(content).map(([type, body]) => bodyText('', type, body)) : [];
  return `<div class="answer"><strong>${status}</strong> ${escaped(description ?? '')} ${bodies.join('')}</div>`;
}

function bodyText(word: string, mediaType: string, { schema, example }: Content): string {
  const type = schema === undefined ? 'bytes' : typeOf(schema);
  return `<div>${word} <code>${escaped(mediaType)}</code>: ${type}${exampleOf(example)}</div>`;
}

function channelText({ channels, operations, components }: AsyncApi, channel: string): string {
  const { address, description } = channels[channel]!;
  const directions = Object.values(operations).filter(
    (operation) => operation.channel.$ref === `#/channels/${channel}`,
  );
  const tables = directions.map(({ summary, messages }) => {
    const rows = messages.map(({ $ref }) => {
      const key = $ref.slice($ref.lastIndexOf('/') + 1);
      const { name, summary: about, examples } = components.messages[key]!;
      const link = `<a href="#schema-${escaped(key)}"><code>${escaped(name)}</code></a>`;
      return [link, `${escaped(about)}${exampleOf(examples[0]?.payload)}`];
    });
    return `<h3>${escaped(summary)}</h3>${table(['name', 'meaning'], rows)}`;
  });
  return `<p><code>${escaped(address)}</code></p><p>${escaped(description)}</p>${tables.join('')}`;
}

function errors(): string {
  const rows = Object.entries(errorTable).map(([code, { status, title, retry }]) => [
    `<code>${code}</code>`,
    String(status),
    escaped(title),
    retry ? 'later' : 'no',
  ]);
  return table(['code', 'status', 'meaning', 'repeat'], rows);
}

function closes(): string {
  const rows = Object.values(closeCodes).map(({ code, meaning, advice }) => [
    String(code),
    escaped(meaning),
    advice.replaceAll('_', ' '),
  ]);
  return table(['code', 'meaning', 'the client'], rows);
}

function schemas(named: Readonly<Record<string, Schema>>): string {
  return Object.entries(named)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, schema]) => {
      const [example] = schema.examples ?? [];
      return `<article id="schema-${escaped(name)}"><h3>${escaped(name)}</h3><p>${typeOf(schema)}</p>${exampleOf(example)}</article>`;
    })
    .join('\n');
}
