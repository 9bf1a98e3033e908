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
  const shown = useRef({ first, count, height: 0, top: 0 });
  const [unseen, setUnseen] = useState(0);

  const toBottom = useCallback(() => {
    const list = element.current;
    if (list === null) return;
    list.scrollTop = list.scrollHeight;
    shown.current.top = list.scrollTop;
    isNear.current = true;
    setUnseen(0);
  }, []);

  const onScroll = useCallback(() => {
    const list = element.current;
    if (list === null) return;
    isNear.current = isNearEnd(list, list.scrollHeight);
    if (isNear.current) setUnseen(0);
  }, []);

  useLayoutEffect(() => {
    const list = element.current;
    if (list === null) return;
    const before = shown.current;
    // A scroll whose event has not come yet counts: who has just moved up is not to be pulled back.
    if (list.scrollTop < before.top && !isNearEnd(list, before.height)) isNear.current = false;
    if (isNear.current) list.scrollTop = list.scrollHeight;
    else if (before.first !== first) list.scrollTop += list.scrollHeight - before.height;
    else if (count > before.count) setUnseen((many) => many + count - before.count);
    shown.current = { first, count, height: list.scrollHeight, top: list.scrollTop };
  }, [first, count]);

  // A narrower window or a taller composer must not push the end out of sight.
  useLayoutEffect(() => {
    const list = element.current;
    if (list === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (!isNear.current) return;
      list.scrollTop = list.scrollHeight;
      shown.current.top = list.scrollTop;
    });
    observer.observe(list);
    return () => observer.disconnect();
  }, []);

  return { element, onScroll, toBottom, unseen };
}

function isNearEnd(list: HTMLElement, height: number): boolean {
  return height - list.scrollTop - list.clientHeight <= nearPx;
}
