const MAX_COUNT = 1_000_000;
const MAX_NUMBERS = 10;

/** Numbers of photos from "25, 50 100"; null for "", the default; undefined for anything else. */
export function parseCounts(typed: string): number[] | null | undefined {
  const words = typed.split(/[\s,]+/).filter(Boolean);
  if (!words.length) return null;
  const counts = words.map(Number);
  const isRight = counts.every((count) => Number.isInteger(count) && count >= 1 && count <= MAX_COUNT);
  return isRight && counts.length <= MAX_NUMBERS ? counts : undefined;
}
