/** The fields of one CSV record (RFC 4180, one line), untrimmed where quoted, else trimmed; `null`: a quote is not closed. */
export function splitRecord(line: string): string[] | null {
  if (!line.includes('"')) return line.split(',').map((field) => field.trim());
  const fields: string[] = [];
  for (const span of quotedSpans(line)) {
    const text = line.slice(span.from, span.to).trim();
    if (!text.startsWith('"')) fields.push(text);
    else if (text.length < 2 || !/^"(?:[^"]|"")*"$/.test(text)) return null;
    else fields.push(text.slice(1, -1).replaceAll('""', '"'));
  }
  return fields;
}

/** The column, from 1, at which a field of the line begins; behind the last one, the end of the line. */
export function columnOfField(line: string, field: number): number {
  const span = quotedSpans(line)[field];
  if (span === undefined) return line.length + 1;
  const text = line.slice(span.from, span.to);
  return span.from + 1 + (text.trim() === '' ? 0 : text.length - text.trimStart().length);
}

function quotedSpans(line: string): { readonly from: number; readonly to: number }[] {
  const spans: { from: number; to: number }[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at <= line.length; at += 1) {
    if (line[at] === '"') quoted = !quoted;
    if (at < line.length && (quoted || line[at] !== ',')) continue;
    spans.push({ from, to: at });
    from = at + 1;
  }
  return spans;
}
