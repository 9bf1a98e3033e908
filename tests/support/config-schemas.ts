import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The schema of each service's and applet's environment, by workspace: `services/chat`. */
export async function configSchemas(): Promise<Map<string, z.ZodObject>> {
  const schemas = new Map<string, z.ZodObject>();
  for (const home of ['services', 'applets']) {
    for (const name of readdirSync(join(root, home))) schemas.set(`${home}/${name}`, await schemaOf(`${home}/${name}`));
  }
  return schemas;
}

async function schemaOf(workspace: string): Promise<z.ZodObject> {
  const path = pathToFileURL(join(root, workspace, 'src/config.ts')).href;
  const exported = Object.values((await import(path)) as Record<string, unknown>);
  const schema = exported.find((value) => value instanceof z.ZodObject);
  if (schema === undefined) throw new Error(`${workspace}/src/config.ts exports no schema`);
  return schema;
}
