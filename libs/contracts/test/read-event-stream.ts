export interface ReadEvent {
  type: string;
  data: string;
  id: string;
}

/** The algorithm of WHATWG HTML, 9.2.6, word by word and on the whole text: slow, and independent of ours. */
export function readEventStream(stream: string): { events: ReadEvent[]; lastEventId: string } {
  const text = stream.startsWith('\ufeff') ? stream.slice(1) : stream;
  const lines = text.split(/\r\n|\r|\n/);
  // What follows the last line end is no line yet.
  lines.pop();
  const events: ReadEvent[] = [];
  let lastEventId = '';
  let id = '';
  let type = '';
  let data = '';
  for (const line of lines) {
    if (line === '') {
      lastEventId = id;
      if (data !== '') events.push({ type: type === '' ? 'message' : type, data: data.slice(0, -1), id });
      data = '';
      type = '';
      continue;
    }
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? '' : line.slice(colon + 1);
    const value = rest.startsWith(' ') ? rest.slice(1) : rest;
    if (field === 'event') type = value;
    else if (field === 'data') data += `${value}\n`;
    else if (field === 'id' && !value.includes('\u0000')) id = value;
  }
  return { events, lastEventId };
}
