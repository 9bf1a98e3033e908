/** Strokes of 24×24 drawings; drawn here so that no font or image has to be fetched. */
const strokes = {
  chat: 'M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z M8 10h8 M8 13.5h5',
  pulse: 'M3 12h4l3-8 4 16 3-8h4',
  leave: 'M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4 M15 8l4 4-4 4 M19 12H9',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 2v2 M12 20v2 M4.500 4.500l1.500 1.500 M18 18l1.500 1.500 M2 12h2 M20 12h2 M4.500 19.500L6 18 M18 6l1.500-1.500',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z',
  send: 'M4 12l16-8-6 16-3-6.500z M11 13.500L20 4',
  people:
    'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z M2.500 20c.5-3.500 3-5.500 6.500-5.500s6 2 6.500 5.500 M16 4.500a3.500 3.500 0 0 1 0 6.500 M18 14.500c2 .8 3.200 2.700 3.500 5.500',
  alert: 'M12 3.500L2.500 20h19z M12 10v4.500 M12 17.300v.2',
  compass: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M15.500 8.500l-2 5-5 2 2-5z',
  down: 'M12 5v14 M6 13l6 6 6-6',
  retry: 'M20 6v5h-5 M4 18v-5h5 M19 11a7.500 7.500 0 0 0-13-3.500 M5 13a7.500 7.500 0 0 0 13 3.500',
  pause: 'M8 5v14 M16 5v14',
  play: 'M7 4.500l12 7.500-12 7.500z',
  clear: 'M5 7h14 M10 11v6 M14 11v6 M6.500 7l1 13h9l1-13 M9 7V4h6v3',
  chevron: 'M9 5l7 7-7 7',
  close: 'M6 6l12 12 M18 6L6 18',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 7v5l3.500 2',
  shield:
    'M12 3l7.500 3v5.500c0 4.500-3 7.800-7.500 9.500-4.500-1.700-7.500-5-7.500-9.500V6z M8.500 12l2.500 2.500 4.500-5',
  search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13z M15.500 15.500L20.500 20.500',
  filter: 'M4 5h16l-6 7.500V19l-4-2v-4.500z',
  download: 'M12 4v11 M7 10.500l5 5 5-5 M5 20h14',
  copy: 'M9 9h10v11H9z M5 15V4h10',
  calendar: 'M4 6h16v14H4z M4 10.500h16 M8.500 3.500v4 M15.500 3.500v4',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  gavel: 'M13.500 4.500l6 6 M10 8l6 6 M11.700 6.300l6 6 M13 11l-8.500 8.500',
  sites:
    'M12 3a3 3 0 1 0 0 6 3 3 0 0 0 0-6z M5 15a3 3 0 1 0 0 6 3 3 0 0 0 0-6z M19 15a3 3 0 1 0 0 6 3 3 0 0 0 0-6z M10.500 8.600l-4 6.800 M13.500 8.600l4 6.800 M8 18h8',
  key: 'M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M11 12l8.500-8.500 M16 7l3 3 M13.500 9.500l2 2',
  plus: 'M12 5v14 M5 12h14',
  back: 'M15 5l-7 7 7 7',
} as const;

export type IconName = keyof typeof strokes;

/** Always decoration: the control that it stands in has the words. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={strokes[name]} />
    </svg>
  );
}
