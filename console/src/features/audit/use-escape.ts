import { useEffect, useRef } from 'react';

/** What closes by itself at Escape, or has a use of its own for it. */
const others = '[role="dialog"], [role="menu"], [role="listbox"], form';

/** Calls back at Escape wherever the focus is, also when it is nowhere. */
export function useEscape(onEscape: () => void): void {
  const latest = useRef(onEscape);
  useEffect(() => {
    latest.current = onEscape;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isElsewhere = event.target instanceof Element && event.target.closest(others) !== null;
      if (event.key === 'Escape' && !event.defaultPrevented && !isElsewhere) latest.current();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
