import { join } from 'node:path';
import { bytesMax } from '../reading/read-file.ts';
import { CannotTell } from '../verdict.ts';
import type { FetchInto } from './fetch-checkpoint.ts';
import { saveFile } from './save-file.ts';

/** One entry with its proof, and its disclosure where it still can be opened. */
export async function fetchEntry(into: FetchInto, seq: number): Promise<void> {
  const { site, folder, report } = into;
  const save = async (path: string, name: string): Promise<boolean> => {
    const answer = await site.get(path, bytesMax.json);
    if (answer !== undefined) await saveFile(join(folder, 'entries', name), answer);
    return answer !== undefined;
  };
  if (!(await save(`entries/${seq}`, `${seq}.json`))) throw new CannotTell(`the site has no entry ${seq} (404)`);
  const hasProof =
    (await save(`entries/${seq}/tlog-proof`, `${seq}.tlog-proof`)) ||
    (await save(`entries/${seq}/proof`, `${seq}.proof.json`));
  if (!hasProof) throw new CannotTell(`the site has no proof of entry ${seq} yet (404)`);
  const isOpen = await save(`entries/${seq}/disclosure`, `${seq}.disclosure.json`);
  report.shown(`entry ${seq} and its proof are in ${join(folder, 'entries')}${isOpen ? ', and its disclosure' : ''}`);
}

/** A day's file. It is made anew each time, since a day that is not over grows. */
export async function fetchDay({ site, folder, report }: FetchInto, day: string): Promise<void> {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new CannotTell(`--day ${day}: a day is written YYYY-MM-DD`);
  const path = join(folder, 'days', `${day}.jsonl`);
  await fetchLines({ site, folder, report }, { route: `days/${day}.jsonl`, path, title: day });
}

/** An export with the filter of a query, such as `board=events&order=oldest`. */
export async function fetchExport({ site, folder, report }: FetchInto, query: string): Promise<void> {
  const parameters = new URLSearchParams(query);
  parameters.set('format', 'jsonl');
  const path = join(folder, 'export.jsonl');
  await fetchLines({ site, folder, report }, { route: `export?${parameters.toString()}`, path, title: 'export' });
}

async function fetchLines(
  { site, report }: FetchInto,
  { route, path, title }: { route: string; path: string; title: string },
): Promise<void> {
  let total = 0;
  const isThere = await site.stream(route, (bytes) =>
    saveFile(
      path,
      counted(bytes, (length) => report.progress(`${title}: ${((total = length) / 1e6).toFixed(1)} MB`)),
    ),
  );
  if (!isThere) throw new CannotTell(`the site has no ${route} (404)`);
  report.shown(`${path} is there`, ...(total > 0 ? [`${total} bytes and more`] : []));
}

async function* counted(bytes: AsyncIterable<Uint8Array>, tell: (length: number) => void): AsyncGenerator<Uint8Array> {
  let [length, toldAt] = [0, performance.now()];
  for await (const part of bytes) {
    length += part.length;
    if (performance.now() - toldAt > 1_000) {
      toldAt = performance.now();
      tell(length);
    }
    yield part;
  }
}
