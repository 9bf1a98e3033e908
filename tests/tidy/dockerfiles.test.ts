import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const workspaces = ['services', 'applets'].flatMap((home) =>
  readdirSync(join(root, home)).map((name) => `${home}/${name}`),
);
const dockerfiles = workspaces.map((workspace) => ({
  workspace,
  text: readFileSync(join(root, workspace, 'Dockerfile'), 'utf8'),
}));

/** From the first stage up to the one that picks the service's own files. */
const sharedStages = (text: string): string => text.slice(text.indexOf('ARG NODE_IMAGE'), text.indexOf('AS files'));

describe('the Dockerfiles', () => {
  test('share their build stages to the letter, so that an engine runs them once', () => {
    expect(new Set(dockerfiles.map(({ text }) => sharedStages(text))).size).toBe(1);
  });

  test('build every service and applet there is', () => {
    const [first] = dockerfiles;
    for (const workspace of workspaces) expect(sharedStages(first?.text ?? '')).toContain(` ${workspace} `);
  });

  test('are about their own workspace, and run it as nobody with a health check on /readyz', () => {
    for (const { workspace, text } of dockerfiles) {
      const own = text.slice(text.indexOf('AS files'));
      for (const other of workspaces)
        expect(own.includes(`${other} `) || own.includes(`${other}/`)).toBe(other === workspace);
      expect(own).toMatch(/^USER 65534:65534$/m);
      expect(own).toMatch(/^HEALTHCHECK [^]*\/readyz/m);
      expect(own).toContain(`CMD ["node", "--max-semi-space-size=32", "${workspace}/dist/main.js"]`);
    }
  });
});
