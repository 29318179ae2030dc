/** Where the cells of a grid lie, so that only those in sight are drawn. */

export interface Grid {
  columns: number;
  cell: number;
  row: number;
  /** The height of all rows. */
  height: number;
}

export interface Range {
  from: number;
  /** Not in the range. */
  to: number;
}

const GAP = 8;
const CAPTION = 26;
const MIN_CELL = 150;
const ROWS_BEYOND = 2; // drawn above and below the screen

/** A grid of square cells with captions. Phones get two columns. */
export function gridOf(width: number, count: number): Grid {
  const columns = Math.max(2, Math.floor((width + GAP) / (MIN_CELL + GAP)));
  const cell = Math.max(60, Math.floor((width - GAP * (columns - 1)) / columns));
  const row = cell + CAPTION + GAP;
  return { columns, cell, row, height: Math.ceil(count / columns) * row };
}

/** The cells in sight. top: of the grid above the edge of the screen, in pixels; below 0 if it is under it */
export function inSight(grid: Grid, count: number, top: number, screen: number): Range {
  const first = Math.max(0, Math.floor(top / grid.row) - ROWS_BEYOND);
  const last = Math.ceil((top + screen) / grid.row) + ROWS_BEYOND;
  const from = Math.min(count, first * grid.columns);
  return { from, to: Math.max(from, Math.min(count, last * grid.columns)) };
}

/** The upper left corner of a cell. */
export function corner(grid: Grid, index: number): { x: number; y: number } {
  const column = index % grid.columns;
  return { x: column * (grid.cell + GAP), y: Math.floor(index / grid.columns) * grid.row };
}
