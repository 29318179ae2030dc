/** Lengths in pixels as CSS, which Preact does not add. */
export function pixels<Name extends string>(lengths: Record<Name, number>): Record<Name, string> {
  const pairs = Object.entries<number>(lengths).map(([name, length]) => [name, `${length}px`]);
  return Object.fromEntries(pairs);
}
