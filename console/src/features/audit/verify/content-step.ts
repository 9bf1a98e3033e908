import type { AuditDisclosure, AuditEntry } from '@boardwire/contracts';
import { contentOf, memberOf } from '../entry-text.ts';
import { bytesOfBase64, bytesOfHex, hexOf } from './bytes.ts';
import { sha256 } from './merkle.ts';
import type { Step } from './verify-entry.ts';

const title = 'Content: SHA-256(salt ‖ content) is the hash in the record';

/** That the content shown is what the record was made with. `disclosed` is undefined when the site can't open the hash any more. */
export async function contentStep(entry: AuditEntry, disclosed: AuditDisclosure | undefined): Promise<Step> {
  const salt = bytesOfHex(disclosed?.salt ?? '');
  const data = bytesOfBase64(disclosed?.data ?? '');
  if (disclosed === undefined || salt === undefined || data === undefined) {
    return { title, verdict: 'unknown', finding: 'What opens the hash is gone from this site.', values: [] };
  }
  const computed = hexOf(await sha256(salt, data));
  const isOpened = computed === entry.datahash;
  const isShown = isShownAs(entry, new TextDecoder().decode(data), disclosed.data);
  return {
    title,
    verdict: isOpened && isShown ? 'right' : 'wrong',
    finding: !isOpened
      ? 'The content hashes to something else than the record holds.'
      : isShown
        ? 'The content shown is the one that was recorded.'
        : 'The content shown is not the one that was recorded.',
    values: [
      { name: 'salt', value: disclosed.salt },
      { name: 'content', value: `${data.length} bytes` },
      { name: 'computed', value: computed },
      { name: 'in the record', value: entry.datahash ?? 'none' },
    ],
  };
}

/** Content is hashed as JSON text, or as the bytes that its base64 stands for. */
function isShownAs(entry: AuditEntry, text: string, base64: string): boolean {
  const encoded = memberOf(entry.detail, 'data_base64');
  if (typeof encoded === 'string') return encoded === base64;
  const content = contentOf(entry);
  if (content === undefined) return text === '';
  try {
    return sortedText(JSON.parse(text)) === sortedText(content);
  } catch {
    return false;
  }
}

/** One text for equal values: what order members stand in says nothing. */
function sortedText(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  );
}
