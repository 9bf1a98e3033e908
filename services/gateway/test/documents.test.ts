import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asyncApiDocument, documentedRoutes, openApiDocument } from '@boardwire/contracts/documents';
import { routeOwner } from '@boardwire/contracts';
import { createContext, readConfig } from '@boardwire/service-kit';
import { historyParameters, streamParameters } from '../../../libs/contracts/src/openapi/parameters.ts';
import { gatewayConfig } from '../src/config.ts';
import { createGateway } from '../src/create-gateway.ts';
import { docsPage, type AsyncApi, type OpenApi } from '../src/documents/docs-page.ts';
import { createPublicApp } from '../src/http/public-app.ts';
import { historyQuerySchema, streamQuerySchema } from '../src/http/query.ts';

const nowhere = 'http://127.0.0.1:9';
const config = readConfig(gatewayConfig, {
  INTERNAL_SECRET: 's'.repeat(32),
  LOG_LEVEL: 'silent',
  CHAT_URL: nowhere,
  AUDIT_URL: nowhere,
  FEDERATION_URL: nowhere,
  APPLETS_URL: nowhere,
});
const context = createContext('gateway', config);
const { gateway } = createGateway(context, config, { isStreaming: () => false, syncedAt: () => 0 });
let app: Awaited<ReturnType<typeof createPublicApp>>;
beforeAll(async () => {
  app = await createPublicApp(gateway);
  await app.init();
});
afterAll(async () => {
  await app.close();
  await Promise.all(Object.values(gateway.clients).map((client) => client.close()));
});

const where = 'libs/contracts/src/openapi/*-routes.ts';
/** Served by this gateway itself: neither passed on nor the console’s. */
const isOwn = (path: string) => {
  const owner = routeOwner(path.replaceAll(/\{\w+\}/g, 'x'));
  return owner?.forwardTo === undefined && owner?.owner === 'gateway';
};
const documented = documentedRoutes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);

describe('the documents', () => {
  test('have every route of the gateway', () => {
    const served = context.routes
      .of('public')
      .map(({ method, path }) => ({ method, path: path.replaceAll(/:(\w+)/g, '{$1}') }))
      .filter(({ path }) => !path.endsWith('*') && isOwn(path))
      .map(({ method, path }) => `${method} ${path}`);
    expect(served.length).toBeGreaterThan(10);
    const missing = served.filter((route) => !documented.includes(route));
    expect(missing.map((route) => `${route} is served but not documented: add it to ${where}`)).toEqual([]);
    const gone = documentedRoutes.filter(({ path }) => isOwn(path));
    const extra = gone
      .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
      .filter((one) => !served.includes(one));
    expect(extra.map((route) => `${route} is documented in ${where} but not served`)).toEqual([]);
  });

  test.each([
    ['streamParameters', streamParameters, streamQuerySchema],
    ['historyParameters', historyParameters, historyQuerySchema],
  ])('name the parameters that are taken: %s of libs/contracts/src/openapi/parameters.ts', (_name, told, schema) => {
    const names = told.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    expect(names.toSorted()).toEqual(Object.keys(schema.shape).toSorted());
  });

  test('make a page without a script and without a word from elsewhere', () => {
    const page = docsPage(openApiDocument() as unknown as OpenApi, asyncApiDocument() as unknown as AsyncApi);
    expect(page).not.toMatch(/<script|<link|<img|url\(|@import|\son\w+=|\sstyle=/i);
    expect(page).not.toMatch(/(?:src|href)="(?!#|\/v1\/)/);
    for (const { method, path } of documentedRoutes) {
      expect(page).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
    }
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
    const ids = new Set([...page.matchAll(/id="([^"]+)"/g)].map(([, id]) => id!));
    expect(targets.filter((id) => !ids.has(id))).toEqual([]);
  });
});
