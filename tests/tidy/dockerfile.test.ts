import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const workspaces = ['services', 'applets'].flatMap((home) =>
  readdirSync(join(root, home)).map((name) => `${home}/${name}`),
);
const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
/** By name; the text of a stage goes to the next FROM. */
const stages = new Map(
  Array.from(text.matchAll(/^FROM (\S+) AS (\w+)$([^]*?)(?=^FROM |(?![^]))/gm), ([, from, name, body]) => [
    name!,
    { from: from!, body: body! },
  ]),
);

describe('the Dockerfile', () => {
  test('has a target for every service and applet there is', () => {
    const targets = [...stages].filter(([, { from }]) => from === 'service').map(([name]) => name);
    expect(new Set(targets)).toEqual(new Set(workspaces.map((workspace) => workspace.split('/')[1]!)));
    expect(targets).toHaveLength(workspaces.length);
  });

  test('builds and installs every one of them', () => {
    for (const workspace of workspaces) {
      for (const stage of ['build', 'dependencies', 'files'])
        expect(stages.get(stage)!.body).toContain(` ${workspace}`);
    }
  });

  test('runs each as nobody, with a health check on /readyz, and its own files alone', () => {
    const { body } = stages.get('service')!;
    expect(body).toMatch(/^USER 65534:65534$/m);
    expect(body).toMatch(/^HEALTHCHECK [^]*CMD \["node", [^]*\/readyz/m);
    for (const workspace of workspaces) {
      const [, name] = workspace.split('/');
      const own = stages.get(name!)!.body;
      expect(own.match(/^COPY .*$/gm)).toEqual([`COPY --from=files /images/${name} .`]);
      const flag = name === 'gateway' ? '' : '"--max-semi-space-size=32", ';
      expect(own).toContain(`CMD ["node", ${flag}"${workspace}/dist/main.js"]`);
    }
  });

  test('needs no shell in what it makes: nothing is run there, and every command is a list', () => {
    for (const name of ['service', ...workspaces.map((workspace) => workspace.split('/')[1]!)]) {
      const { body } = stages.get(name)!;
      expect(body).not.toMatch(/^RUN /m);
      expect(body.match(/^(?:CMD|ENTRYPOINT) (?!\[).*$/gm) ?? []).toEqual([]);
    }
  });

  test('is built on one image that a variable names', () => {
    const bases = [...stages.values()].map(({ from }) => from).filter((from) => !stages.has(from));
    expect(new Set(bases)).toEqual(new Set(['${NODE_IMAGE}']));
    expect(text).toContain('ARG NODE_IMAGE=node:20-alpine');
  });

  test('says what each image is, by the names of the Open Container Initiative', () => {
    for (const key of ['licenses', 'version', 'revision', 'base.name'])
      expect(text).toContain(`org.opencontainers.image.${key}=`);
    for (const workspace of workspaces) {
      const { body } = stages.get(workspace.split('/')[1]!)!;
      expect(body).toMatch(/org\.opencontainers\.image\.title="Boardwire /);
      expect(body).toMatch(/org\.opencontainers\.image\.description="/);
    }
  });
});
