import { useCallback, useLayoutEffect, useRef, useState } from 'react';

/** This near to the end a reader is taken to be reading along. */
const nearPx = 50;

/**
 * Keeps a list at its end while the reader is there, and leaves it alone while they read further up: what is added below
 * is counted, what is added above moves nothing.
 */
export function useStickToBottom<Element extends HTMLElement>({ first, count }: { first: unknown; count: number }) {
  const element = useRef<Element>(null);
  const isNear = useRef(true);
  const shown = useRef({ first, count, height: 0 });
  const [unseen, setUnseen] = useState(0);

  const toBottom = useCallback(() => {
    const list = element.current;
    if (list !== null) list.scrollTop = list.scrollHeight;
    isNear.current = true;
    setUnseen(0);
  }, []);

  const onScroll = useCallback(() => {
    const list = element.current;
    if (list === null) return;
    isNear.current = list.scrollHeight - list.scrollTop - list.clientHeight <= nearPx;
    if (isNear.current) setUnseen(0);
  }, []);

  useLayoutEffect(() => {
    const list = element.current;
    if (list === null) return;
    const before = shown.current;
    const isAbove = before.first !== first;
    shown.current = { first, count, height: list.scrollHeight };
    if (isNear.current) list.scrollTop = list.scrollHeight;
    else if (isAbove) list.scrollTop += list.scrollHeight - before.height;
    else if (count > before.count) setUnseen((many) => many + count - before.count);
  }, [first, count]);

  // A narrower window or a taller composer must not push the end out of sight.
  useLayoutEffect(() => {
    const list = element.current;
    if (list === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (isNear.current) list.scrollTop = list.scrollHeight;
    });
    observer.observe(list);
    return () => observer.disconnect();
  }, []);

  return { element, onScroll, toBottom, unseen };
}
