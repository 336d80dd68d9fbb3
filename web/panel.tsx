import type { ComponentChildren, JSX, RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface PanelProps {
  readonly id: string;
  readonly title: string;
  readonly hint?: string | undefined;
  readonly children: ComponentChildren;
}

/** One question and its answer. */
export function Panel({ id, title, hint, children }: PanelProps): JSX.Element {
  return (
    <section class={`panel panel-${id}`} aria-labelledby={`${id}-title`}>
      <header class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {hint === undefined ? null : <p class="hint">{hint}</p>}
      </header>
      {children}
    </section>
  );
}

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ComponentChildren[])[];
  /** How many columns from the left are words; the rest are numbers. */
  readonly words?: number;
}

/** The numbers behind a drawing. It scrolls inside itself where it is too wide, by keyboard too. */
export function Table({ caption, columns, rows, words = 1 }: TableProps): JSX.Element {
  const align = (index: number) => (index < words ? 'word' : 'number');
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="table-scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={column} scope="col" class={align(index)}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, rowIndex) => (
            <tr key={rowIndex}>
              {row.map((cell, index) => (
                <td key={columns[index]} class={align(index)}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A table behind a drawing, closed until it is asked for. */
export function TableBehind(props: TableProps): JSX.Element {
  return (
    <details class="behind">
      <summary>{props.caption}</summary>
      <Table {...props} />
    </details>
  );
}

export function Empty({ children }: { children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>;
}

/** A value as people read it, with what the API sent kept beside it. */
export function Value({
  raw,
  children,
  name,
}: {
  raw: string | number;
  children: ComponentChildren;
  name?: string;
}): JSX.Element {
  return (
    <data value={String(raw)} title={String(raw)} data-name={name}>
      {children}
    </data>
  );
}

/** The width of an element in CSS pixels, 0 before it is laid out. */
export function useWidth(): [RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    setWidth(Math.floor(element.getBoundingClientRect().width));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
