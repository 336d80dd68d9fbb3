/**
 * The text with comments and the content of strings, templates and regular expressions replaced by spaces. Line and
 * column of everything else stay. It needs no parser: rules that look at words and braces read the result.
 */
export function plainCode(text: string): string {
  const out = [...text.replaceAll('\r', ' ')];
  const templateDepths: number[] = [];
  let depth = 0;
  let at = 0;
  const blank = (from: number, to: number) => {
    for (let i = from; i < to && i < out.length; i += 1) if (out[i] !== '\n') out[i] = ' ';
    at = to;
  };
  while (at < out.length) {
    const end = endOfQuietPart(out, at);
    if (end !== null) blank(at, end);
    else if (out[at] === '`' || (out[at] === '}' && templateDepths.at(-1) === depth)) {
      if (out[at] === '}') templateDepths.pop();
      const { end: stop, opens } = endOfTemplatePart(out, at + 1);
      blank(at, stop);
      if (opens) templateDepths.push(depth);
    } else {
      if (out[at] === '{') depth += 1;
      if (out[at] === '}') depth -= 1;
      at += 1;
    }
  }
  return out.join('');
}

/** Where the comment, quoted string or regular expression that starts at `at` ends; null where none starts. */
function endOfQuietPart(text: readonly string[], at: number): number | null {
  const char = text[at];
  const next = text[at + 1];
  if (char === '/' && next === '/') return endOfLine(text, at);
  if (char === '/' && next === '*') return endOfBlockComment(text, at + 2);
  if (char === "'" || char === '"') return endOfDelimited(text, at + 1, char);
  if (char === '/' && startsRegex(text, at)) return endOfRegex(text, at + 1);
  return null;
}

function endOfLine(text: readonly string[], at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function endOfBlockComment(text: readonly string[], at: number): number {
  let end = at;
  while (end < text.length && !(text[end] === '*' && text[end + 1] === '/')) end += 1;
  return end + 2;
}

function endOfDelimited(text: readonly string[], at: number, delimiter: string): number {
  let end = at;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function endOfRegex(text: readonly string[], at: number): number {
  let inClass = false;
  let end = at;
  while (end < text.length && text[end] !== '\n' && (inClass || text[end] !== '/')) {
    if (text[end] === '[') inClass = true;
    if (text[end] === ']') inClass = false;
    end += text[end] === '\\' ? 2 : 1;
  }
  return end + 1;
}

function endOfTemplatePart(text: readonly string[], at: number): { end: number; opens: boolean } {
  let end = at;
  while (end < text.length && text[end] !== '`') {
    if (text[end] === '$' && text[end + 1] === '{') return { end: end + 2, opens: true };
    end += text[end] === '\\' ? 2 : 1;
  }
  return { end: end + 1, opens: false };
}

/** A slash divides after a value and starts a regular expression everywhere else. */
function startsRegex(text: readonly string[], at: number): boolean {
  const before = text
    .slice(Math.max(0, at - 40), at)
    .join('')
    .trimEnd();
  return before === '' || /[(,=:[!&|?{};<>+\-*%^~]$/.test(before) || /\b(return|typeof|case|in|of)$/.test(before);
}
