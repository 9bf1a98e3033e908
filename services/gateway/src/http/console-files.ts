import { routeOwner } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const noncePlaceholder = /__CSP_NONCE__/g;
const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Boardwire</title></head>
<body><h1>Boardwire is running</h1>
<p>The console is not built. Build it with <code>npm run build --workspace console</code>, then start again.</p>
<p>The API is at <a href="/v1/boards">/v1/boards</a>.</p></body></html>
`;

interface ConsoleFile {
  path: string;
  type: string;
  bytes: number;
}

/**
 * The console's files by their address, read once: what is not in the list is not served, however it is spelled.
 * Bundled assets have a hash in their name and never change; the page itself is never kept, since its nonce is new
 * each time.
 */
export class ConsoleFiles {
  readonly #files: ReadonlyMap<string, ConsoleFile>;
  readonly #page: string | undefined;

  private constructor(files: ReadonlyMap<string, ConsoleFile>, page: string | undefined) {
    this.#files = files;
    this.#page = page;
  }

  /** Without a folder, or without a page in it, a page tells how to build one. */
  static async load(folder: string | undefined): Promise<ConsoleFiles> {
    const files = new Map<string, ConsoleFile>();
    const entries = folder === undefined ? [] : await filesBelow(folder);
    for (const entry of entries) {
      const path = join(folder!, entry);
      const type = mediaTypes[extname(entry)] ?? 'application/octet-stream';
      // oxlint-disable-next-line no-await-in-loop -- a few dozen files, once
      files.set(`/${entry.split('\\').join('/')}`, { path, type, bytes: (await stat(path)).size });
    }
    const index = files.get('/index.html');
    files.delete('/index.html');
    return new ConsoleFiles(files, index === undefined ? undefined : await readFile(index.path, 'utf8'));
  }

  mount(fastify: FastifyInstance): void {
    fastify.get('/*', (request, reply) => this.#serve(request, reply));
  }

  #serve(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = request.url.split('?', 1)[0] ?? '/';
    if (routeOwner(path)?.owner !== 'console') throw new AppError('not_found', { detail: 'no such route' });
    const file = this.#files.get(path);
    if (file !== undefined) return sendFile(file, path, reply);
    // Anything else that a browser navigates to is a place inside the console.
    if (path !== '/' && path !== '/index.html' && !isNavigation(request)) throw new AppError('not_found');
    return this.#sendPage(reply);
  }

  #sendPage(reply: FastifyReply): FastifyReply {
    const nonce = randomBytes(16).toString('base64');
    secure(reply, nonce);
    reply.header('content-type', mediaTypes['.html']).header('cache-control', 'no-store');
    return reply.send(this.#page?.replace(noncePlaceholder, nonce) ?? notBuilt);
  }
}

function sendFile(file: ConsoleFile, path: string, reply: FastifyReply): FastifyReply {
  secure(reply);
  const kept = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=300';
  reply.header('content-type', file.type).header('content-length', file.bytes).header('cache-control', kept);
  return reply.send(createReadStream(file.path));
}

/** Nothing from elsewhere, nothing inline but what carries the page's nonce. */
function secure(reply: FastifyReply, nonce?: string): void {
  const inline = nonce === undefined ? '' : ` 'nonce-${nonce}'`;
  const policy = [
    "default-src 'none'",
    `script-src 'self'${inline}`,
    `style-src 'self'${inline}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ];
  reply
    .header('content-security-policy', policy.join('; '))
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin');
}

function isNavigation(request: FastifyRequest): boolean {
  const mode = request.headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  return (request.headers.accept ?? '').includes('text/html');
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const root = join(folder, '.');
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
