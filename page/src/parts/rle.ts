/** COCO's run lengths of a mask, compressed, as the server sends them. size: height and width of the photo */
export interface RunLengths {
  size: readonly number[];
  counts: string;
}

/** A mask inside its window: 1 for each pixel of the object, row by row. */
export interface MaskWindow {
  x: number;
  y: number;
  width: number;
  height: number;
  pixels: Uint8Array;
}

/**
 * The lengths of the runs of 0, 1, 0, 1 … down the columns. From the third on, each is stored as its difference
 * from the one two before, in pieces of five bits, the lowest first; the sixth bit says that another follows.
 */
export function decompress(text: string): number[] {
  const counts: number[] = [];
  let value = 0;
  let shift = 0;
  for (let i = 0; i < text.length; i++) {
    const piece = text.charCodeAt(i) - 48;
    if (piece < 0 || piece > 63) throw new RangeError(`run lengths: invalid character at ${i}`);
    value |= (piece & 31) << shift;
    shift += 5;
    if (piece & 32) continue;
    if (piece & 16 && shift < 32) value |= -1 << shift;
    counts.push(value + (counts.length > 2 ? (counts[counts.length - 2] as number) : 0));
    value = shift = 0;
  }
  if (shift > 0) throw new RangeError("run lengths: the text is incomplete");
  return counts;
}

/** The pixels of a mask; null if it has none. */
export function decodeMask({ size, counts }: RunLengths): MaskWindow | null {
  const [height = 0, width = 0] = size;
  const spans = columnSpans(decompress(counts), height, width);
  if (spans.length === 0) return null;
  const [left, right] = [spans[0]?.x ?? 0, spans[spans.length - 1]?.x ?? 0];
  const top = spans.reduce((least, span) => Math.min(least, span.from), height);
  const bottom = spans.reduce((most, span) => Math.max(most, span.to), 0);
  const window = { x: left, y: top, width: right + 1 - left, height: bottom - top };
  const pixels = new Uint8Array(window.width * window.height);
  for (const { x, from, to } of spans) {
    for (let y = from; y < to; y++) pixels[(y - top) * window.width + x - left] = 1;
  }
  return { ...window, pixels };
}

interface Span {
  x: number;
  from: number;
  to: number;
}

/** The runs of 1, cut at the end of each column. */
function columnSpans(counts: readonly number[], height: number, width: number): Span[] {
  const spans: Span[] = [];
  let at = 0;
  counts.forEach((count, index) => {
    const end = at + count;
    if (index % 2 === 1) {
      for (let start = at; start < end; ) {
        const x = Math.floor(start / height);
        const stop = Math.min(end, (x + 1) * height);
        spans.push({ x, from: start - x * height, to: stop - x * height });
        start = stop;
      }
    }
    at = end;
  });
  if (at !== height * width)
    throw new RangeError(`run lengths: expected ${height * width} pixels, found ${at}`);
  return spans;
}
