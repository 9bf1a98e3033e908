import type { Manifest } from './manifest.ts';

/** The packages that hold the schemas; kubernetes-models 5.1 has those of Kubernetes 1.36. */
const packageOf: Readonly<Record<string, string>> = {
  'postgresql.cnpg.io': '@kubernetes-models/cloudnative-pg',
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

interface Model {
  prototype: { validate(): void };
}

/** What a manifest does wrong: values that its schema refuses, and fields that its schema doesn't know. */
export async function schemaErrors(manifest: Manifest): Promise<string[]> {
  const { apiVersion, kind } = manifest;
  const home = packageOf[apiVersion.split('/', 1)[0]!] ?? 'kubernetes-models';
  const module = (await import(`${home}/${apiVersion}/${kind}`)) as Record<string, Model>;
  const reader = new Reader();
  try {
    module[kind]!.prototype.validate.call(reader.watch(manifest, ''));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return reader.unread();
}

interface Watched {
  path: string;
  data: object;
  asked: Set<string>;
  isMap: boolean;
}

/**
 * The validators ask an object for each property that its schema has, and list the keys of one that is a map. Neither
 * asked for nor listed: unknown to the schema, as a misspelled field is.
 */
class Reader {
  readonly #watched = new Map<object, { proxy: object; what: Watched }>();

  watch(data: object, path: string): object {
    const known = this.#watched.get(data);
    if (known !== undefined) return known.proxy;
    const what: Watched = { path, data, asked: new Set(), isMap: Array.isArray(data) };
    const proxy = new Proxy(data, {
      get: (target, key) => {
        if (typeof key === 'string') what.asked.add(key);
        const value: unknown = Reflect.get(target, key);
        const isOwn = typeof value === 'object' && value !== null;
        return isOwn ? this.watch(value, `${path}/${String(key)}`) : value;
      },
      ownKeys: (target) => {
        what.isMap = true;
        return Reflect.ownKeys(target);
      },
    });
    this.#watched.set(data, { proxy, what });
    return proxy;
  }

  unread(): string[] {
    return [...this.#watched.values()].flatMap(({ what: { path, data, asked, isMap } }) => {
      // Nothing was asked at all: anything may stand there.
      if (isMap || asked.size === 0) return [];
      return Object.keys(data).flatMap((key) => (asked.has(key) ? [] : [`${path}/${key} is not in the schema`]));
    });
  }
}
