import type { JSX } from 'preact';

/** 24 x 24, stroked in the colour of the text around. Decoration: the words beside them say the same. */
const PATHS = {
  sun: 'M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM12 2v2.2M12 19.8v2.2M2 12h2.2M19.8 12H22M4.9 4.9l1.6 1.6M17.5 17.5l1.6 1.6M4.9 19.1l1.6-1.6M17.5 6.5l1.6-1.6',
  home: 'm3.5 11.5 8.5-7.5 8.5 7.5M6 9.8V20h12V9.8M10 20v-5.5h4V20',
  battery:
    'M4.5 7.5h13a1.5 1.5 0 0 1 1.5 1.5v6a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 3 15V9a1.5 1.5 0 0 1 1.5-1.5ZM21.5 10.5v3M11.5 9.5 9 12.3h3.2L10 14.8',
  grid: 'M12 3 6.5 21M12 3l5.5 18M12 3v3M5 9h14M7 13.5h10M9.2 12.5l6.6 8.5M14.8 12.5 8.2 21M8 9V7M16 9V7',
  neighbours: 'M4 12.5 8 9l4 3.5V19H4ZM12 12.5 16 9l4 3.5V19h-8M9 5.5h6M13.2 3.5l2 2-2 2',
  seal: 'M12 2.8 19.5 6v5.5c0 4.6-3.1 8-7.5 9.7-4.4-1.7-7.5-5.1-7.5-9.7V6ZM8.5 12l2.5 2.5 4.7-5',
  warning: 'M12 4 2.8 19.5h18.4ZM12 10v4.5M12 17v.3',
  moon: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The same inside a larger drawing, centred at x, y. */
export function IconAt({ name, x, y, size }: { name: IconName; x: number; y: number; size: number }): JSX.Element {
  const scale = size / 24;
  return <path class="icon" d={PATHS[name]} transform={`translate(${x - size / 2} ${y - size / 2}) scale(${scale})`} />;
}
