import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { buildKustomization } from './kustomize.ts';
import type { Manifest } from './manifest.ts';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

export const overlayNames = ['local', 'production'] as const;
export type OverlayName = (typeof overlayNames)[number];

export interface Overlay {
  name: OverlayName;
  manifests: Manifest[];
  /** What an operator makes once beside them. */
  secrets: Manifest[];
}

export const overlays: readonly Overlay[] = overlayNames.map((name) => ({
  name,
  manifests: buildKustomization(join(root, 'k8s', 'overlays', name)),
  secrets: madeSecrets(name),
}));

function madeSecrets(name: OverlayName): Manifest[] {
  const text = execFileSync('sh', [join(root, 'k8s', 'make-secrets.sh'), name], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}
