import { useEffect, type RefObject } from 'react';

/** Scrolls once to what is marked with `data-wanted`, as soon as it is there. */
export function useJumpTo(list: RefObject<HTMLElement | null>, isThere: boolean): void {
  useEffect(() => {
    if (isThere) list.current?.querySelector('[data-wanted]')?.scrollIntoView({ block: 'center' });
  }, [list, isThere]);
}
