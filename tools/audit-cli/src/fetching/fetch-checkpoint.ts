import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NoteError, parseVerifier } from '@boardwire/signing';
import { proveExtension } from '../proving/extension.ts';
import { openSigned, type SignedCheckpoint } from '../reading/checkpoint-file.ts';
import { bytesMax, decodeText, parseObject, readIfThere } from '../reading/read-file.ts';
import type { Trust } from '../reading/trust.ts';
import type { Report } from '../report.ts';
import { CannotTell, Refuted } from '../verdict.ts';
import type { AuditSite } from './audit-site.ts';
import { saveFile } from './save-file.ts';

export interface FetchInto {
  site: AuditSite;
  folder: string;
  report: Report;
}

const checkpointWaits = 20;
const checkpointWaitMs = 250;

/**
 * The key of the log. The first one is believed and kept; from then on the site may add epochs under the same key, and
 * everything else is refused: a key that the site can change at will proves nothing.
 */
export async function fetchKey({ site, folder, report }: FetchInto): Promise<Trust> {
  const path = join(folder, 'key');
  const text = await needed(site, 'key', bytesMax.keys);
  const lines = linesOf(text);
  const keys = lines.map((line) => keyOf(line, 'the site’s answer'));
  if (keys.length === 0) throw new CannotTell('the site has no key yet');
  const kept = await readIfThere(path, bytesMax.keys);
  if (kept === undefined) {
    report.shown(`${path} is kept from now on; compare it with the operator by another way`, ...lines);
  } else {
    const known = linesOf(decodeText(kept, path));
    const publicKeys = new Set(known.map((line) => keyOf(line, path).key.publicKey.toString('hex')));
    const isSame = known.every((line) => lines.includes(line));
    if (!isSame || keys.some(({ key }) => !publicKeys.has(key.publicKey.toString('hex')))) {
      throw new Refuted(`the site shows another key than the one kept in ${path}`, [
        known.join('\n'),
        lines.join('\n'),
      ]);
    }
    report.shown(`the site’s key is the one kept in ${path}`);
  }
  await saveFile(path, Buffer.from(`${lines.join('\n')}\n`));
  return { keys, origin: undefined, witnesses: [], witnessesNeeded: 0, firstSeq: 0 };
}

/** What the site says of itself, before its checkpoint: whatever it has audited by then must be covered. */
export async function fetchHealth({ site, folder }: FetchInto): Promise<number> {
  const text = await needed(site, 'health', bytesMax.json);
  await saveFile(join(folder, 'health.json'), Buffer.from(text));
  const { size } = parseObject(text, 'the answer of health');
  return Number.isSafeInteger(size) ? (size as number) : 0;
}

/** The newest checkpoint. It must go on from the one that was fetched before, else neither is overwritten. */
export async function fetchCheckpoint(into: FetchInto, trust: Trust, sizeMin: number): Promise<SignedCheckpoint> {
  const { folder, report } = into;
  const path = join(folder, 'checkpoint');
  const former = await readIfThere(path, bytesMax.note);
  const note = await noteCovering(into, sizeMin);
  const checkpoint = openSigned(note, { what: 'the site’s checkpoint', trust, report });
  if (former !== undefined) await checkFormer(former, { into, trust, checkpoint, path });
  await saveFile(join(folder, 'checkpoints', `${checkpoint.size}`), Buffer.from(note));
  await saveFile(path, Buffer.from(note));
  return checkpoint;
}

async function checkFormer(
  former: Buffer,
  { into, trust, checkpoint, path }: { into: FetchInto; trust: Trust; checkpoint: SignedCheckpoint; path: string },
): Promise<void> {
  const { site, folder, report } = into;
  const from = openSigned(decodeText(former, path), { what: path, trust, report });
  if (from.origin !== checkpoint.origin) return putAside(from.origin, checkpoint.origin, into);
  let proof: string | undefined;
  if (from.size > 0 && from.size < checkpoint.size) {
    proof = join(folder, 'consistency', `${from.size}-${checkpoint.size}.json`);
    const answer = await needed(site, `proof/consistency?from=${from.size}&to=${checkpoint.size}`, bytesMax.json);
    await saveFile(proof, Buffer.from(answer));
  }
  try {
    await proveExtension(from, checkpoint, { evidence: { tiles: undefined, proof }, report });
  } catch (error) {
    if (error instanceof Refuted) await saveFile(`${path}.conflicting`, Buffer.from(checkpoint.note));
    throw error;
  }
}

/** Another epoch has a tree of its own: what was fetched of the former one must not be taken for its beginning. */
async function putAside(former: string, next: string, { folder, report }: FetchInto): Promise<void> {
  const aside = join(folder, 'former', former.slice(former.lastIndexOf('/') + 1));
  await mkdir(aside, { recursive: true });
  for (const name of ['checkpoint', 'checkpoints', 'consistency', 'tile']) {
    // oxlint-disable-next-line no-await-in-loop -- four
    await rename(join(folder, name), join(aside, name)).catch(() => undefined);
  }
  report.shown(`what was fetched of ${former} is in ${aside}`);
  report.notShown(
    `that ${next} goes on from it: its first entry (action audit.epoch) must hold a checkpoint of the former`,
  );
}

/** A checkpoint follows its entries within the second. */
async function noteCovering({ site }: FetchInto, sizeMin: number): Promise<string> {
  for (let waits = 0; ; waits += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const note = await needed(site, 'checkpoint', bytesMax.note);
    if (Number(note.split('\n')[1]) >= sizeMin || waits === checkpointWaits) return note;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(checkpointWaitMs);
  }
}

async function needed(site: AuditSite, path: string, max: number): Promise<string> {
  const bytes = await site.get(path, max);
  if (bytes === undefined) throw new CannotTell(`the site has no ${path} (404)`);
  return decodeText(bytes, path);
}

function keyOf(line: string, what: string) {
  try {
    return parseVerifier(line);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new Refuted(`${what} holds no verifier key: ${error.message}`);
  }
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
