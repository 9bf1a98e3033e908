/** As much of JSON Schema as our own documents use. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  default?: unknown;
  description?: string;
  format?: string;
  examples?: unknown[];
  [bound: string]: unknown;
}

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\u0027', '&#39;')
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

export function section(id: string, title: string, text: string): string {
  return `<section id="${escaped(id)}"><h2>${escaped(title)}</h2>\n${text}</section>`;
}

/** Cells are HTML already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table>`;
}

export function exampleOf(value: unknown): string {
  if (value === undefined) return '';
  const text = JSON.stringify(value, null, 2).replaceAll('`', '\u02cb');
  return `<details><summary>example</summary><pre>${escaped(text)}</pre></details>`;
}

/** A schema in a line of words; what has a name is linked. */
export function typeOf(schema: Schema): string {
  const { $ref, properties, items, additionalProperties } = schema;
  if ($ref !== undefined) {
    const name = escaped($ref.slice($ref.lastIndexOf('/') + 1));
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(JSON.stringify(value))).join(', ');
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices !== undefined)
    return choices.map(typeOf).join(schema.allOf === undefined ? ' <b>or</b> ' : ' <b>and</b> ');
  if (properties !== undefined) return fieldsOf(properties, schema.required ?? []);
  if (schema.type === 'array') return `list of ${items === undefined ? 'anything' : typeOf(items)}${boundsOf(schema)}`;
  if (schema.type === 'object') {
    return typeof additionalProperties === 'object' ? `object of ${typeOf(additionalProperties)}` : 'object';
  }
  const words = [schema.format ?? schema.type ?? 'anything'].flat();
  return `${escaped(words.join(' or '))}${boundsOf(schema)}`;
}

function fieldsOf(properties: Readonly<Record<string, Schema>>, required: readonly string[]): string {
  const rows = Object.entries(properties).map(([name, field]) => {
    const about = field.description === undefined ? '' : ` ${escaped(field.description)}`;
    return `<dt><code>${escaped(name)}</code>${required.includes(name) ? '' : '?'}</dt><dd>${typeOf(field)}${about}</dd>`;
  });
  return `<dl>${rows.join('')}</dl>`;
}

const bounds: readonly [string, string][] = [
  ['minLength', 'at least'],
  ['maxLength', 'at most'],
  ['minItems', 'at least'],
  ['maxItems', 'at most'],
  ['minimum', 'from'],
  ['maximum', 'to'],
  ['default', 'by default'],
];

function boundsOf(schema: Schema): string {
  const said = bounds.flatMap(([key, words]) => {
    const value = schema[key];
    const isTold = value !== undefined && Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER;
    return isTold ? [`${words} ${JSON.stringify(value)}`] : [];
  });
  return said.length === 0 ? '' : ` <small>(${escaped(said.join(', '))})</small>`;
}

function code(text: string): string {
  return `<code>${escaped(text)}</code>`;
}
