/** A copy with room for at least `length` words; what is behind the content is 0. */
export function withRoom(content: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(Math.max(content.length, length));
  wider.set(content);
  return wider;
}
