/** Of RFC 6902 what the overlays use. */
export interface PatchOperation {
  op: 'add' | 'replace' | 'remove';
  path: string;
  value?: unknown;
}

type Parent = Record<string, unknown>;

/** Changes the document in place; a path that leads nowhere is an error, as it is for kustomize. */
export function applyJsonPatch(document: object, operations: readonly PatchOperation[]): void {
  for (const { op, path, value } of operations) {
    const keys = path.split('/').slice(1).map(unescaped);
    const last = keys.pop()!;
    const parent = keys.reduce<Parent>((at, key) => child(at, key, path), document as Parent);
    const isThere = Object.hasOwn(parent, last);
    if (op !== 'add' && !isThere) throw new Error(`${op} ${path}: nothing is there`);
    if (op === 'remove') delete parent[last];
    else if (Array.isArray(parent))
      parent.splice(last === '-' ? parent.length : Number(last), op === 'add' ? 0 : 1, clone(value));
    else parent[last] = clone(value);
  }
}

function child(at: Parent, key: string, path: string): Parent {
  const next = at[key];
  if (typeof next !== 'object' || next === null) throw new Error(`${path}: no ${key}`);
  return next as Parent;
}

const unescaped = (key: string): string => key.replaceAll('~1', '/').replaceAll('~0', '~');
/** Several documents take the same value, and each may be changed again. */
const clone = (value: unknown): unknown => structuredClone(value);
