/** The known name that `text` was probably meant to be: at most a third of its letters wrong (rounded up), or null. */
export function nearestName(text: string, known: readonly string[]): string | null {
  const allowed = Math.ceil(text.length / 3);
  const ranked = known
    .map((name) => ({ name, distance: editDistance(text.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= allowed ? best.name : null;
}

/** `; did you mean "tariff"?`, or nothing where no known name is near. */
export function didYouMean(text: string, known: readonly string[]): string {
  const name = nearestName(text, known);
  return name === null ? '' : `; did you mean "${name}"?`;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
