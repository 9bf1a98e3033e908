import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { applyJsonPatch, type PatchOperation } from './json-patch.ts';
import { podTemplateOf, type Manifest } from './manifest.ts';

interface Generator {
  name: string;
  behavior?: 'merge';
  literals?: string[];
  files?: string[];
}

/** What the repository's kustomizations use, and nothing else: an unknown key is refused, not left out. */
interface Kustomization {
  apiVersion: string;
  kind: string;
  namespace?: string;
  resources?: string[];
  labels?: { pairs: Record<string, string>; includeTemplates?: boolean }[];
  configMapGenerator?: Generator[];
  images?: { name: string; newName: string; newTag: string }[];
  patches?: { path: string; target: { kind: string; name?: string } }[];
}
const known = 'apiVersion kind namespace resources labels configMapGenerator images patches'.split(' ');

/** A generated ConfigMap keeps its plain name until the end, so that an overlay can merge into it. */
const generated = new WeakSet<Manifest>();

/** Builds a kustomization as `kubectl kustomize` does; suffixes of generated names differ from its own. */
export function buildKustomization(folder: string): Manifest[] {
  const manifests = build(folder);
  nameByContent(manifests);
  return manifests;
}

function build(folder: string): Manifest[] {
  const kustomization = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Kustomization;
  const unknown = Object.keys(kustomization).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${folder}: the tests can't build ${unknown.join(', ')}`);
  const manifests = (kustomization.resources ?? []).flatMap((path) => resourcesAt(join(folder, path)));
  for (const generator of kustomization.configMapGenerator ?? []) generate(manifests, generator, folder);
  for (const { path, target } of kustomization.patches ?? []) patch(manifests, join(folder, path), target);
  for (const { pairs, includeTemplates } of kustomization.labels ?? []) {
    for (const manifest of manifests) label(manifest, pairs, includeTemplates === true);
  }
  for (const image of kustomization.images ?? []) replaceImage(manifests, image);
  const { namespace } = kustomization;
  if (namespace !== undefined) {
    for (const { kind, metadata } of manifests) if (kind !== 'Namespace') metadata.namespace = namespace;
  }
  return manifests;
}

function resourcesAt(path: string): Manifest[] {
  if (statSync(path).isDirectory()) return build(path);
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]!.message}`);
    return document.toJS() as Manifest;
  });
}

function generate(
  manifests: Manifest[],
  { name, behavior, literals = [], files = [] }: Generator,
  folder: string,
): void {
  const data = Object.fromEntries([
    ...literals.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
    ...files.map((text) => {
      const [key, path] = text.includes('=') ? (text.split('=') as [string, string]) : [basename(text), text];
      return [key, readFileSync(join(folder, path), 'utf8')];
    }),
  ]) as Record<string, string>;
  const earlier = manifests.find((one) => one.kind === 'ConfigMap' && one.metadata.name === name);
  if ((earlier !== undefined) !== (behavior === 'merge'))
    throw new Error(`${folder}: ConfigMap ${name} is there twice, or not at all`);
  if (earlier !== undefined) return void Object.assign(earlier.data!, data);
  const manifest: Manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
  generated.add(manifest);
  manifests.push(manifest);
}

function patch(manifests: Manifest[], path: string, { kind, name }: { kind: string; name?: string }): void {
  const operations = parse(readFileSync(path, 'utf8')) as PatchOperation[];
  const matches = new RegExp(`^(?:${name ?? '.*'})$`);
  const targets = manifests.filter((one) => one.kind === kind && matches.test(one.metadata.name));
  if (targets.length === 0) throw new Error(`${path} is for nothing`);
  for (const target of targets) applyJsonPatch(target, operations);
}

function label(manifest: Manifest, pairs: Record<string, string>, withTemplates: boolean): void {
  addLabels(manifest, pairs);
  if (!withTemplates) return;
  const template = podTemplateOf(manifest);
  if (template !== undefined) addLabels(template, pairs);
  for (const claim of (manifest.spec?.volumeClaimTemplates ?? []) as Manifest[]) addLabels(claim, pairs);
}

function addLabels(to: { metadata?: { labels?: Record<string, string> } }, pairs: Record<string, string>): void {
  to.metadata = { ...to.metadata, labels: { ...to.metadata?.labels, ...pairs } };
}

function replaceImage(
  manifests: Manifest[],
  { name, newName, newTag }: { name: string; newName: string; newTag: string },
): void {
  for (const manifest of manifests) {
    for (const container of podTemplateOf(manifest)?.spec.containers ?? []) {
      if (container.image.split(':', 1)[0] === name) container.image = `${newName}:${newTag}`;
    }
  }
}

/** A ConfigMap that changes gets another name, and who refers to it another template: its pods are rolled. */
function nameByContent(manifests: Manifest[]): void {
  const names = new Map<string, string>();
  for (const manifest of manifests.filter((one) => generated.has(one))) {
    const { name } = manifest.metadata;
    const hash = createHash('sha256').update(JSON.stringify(manifest.data)).digest('hex');
    names.set(name, `${name}-${hash.slice(0, 10)}`);
    manifest.metadata.name = names.get(name)!;
  }
  for (const manifest of manifests) {
    const { containers = [], volumes = [] } = podTemplateOf(manifest)?.spec ?? {};
    const references = [
      ...containers.flatMap(({ envFrom = [], env = [] }) => [
        ...envFrom.map(({ configMapRef }) => configMapRef),
        ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef),
      ]),
      ...volumes.map(({ configMap }) => configMap),
    ];
    for (const reference of references)
      if (reference !== undefined) reference.name = names.get(reference.name) ?? reference.name;
  }
}
