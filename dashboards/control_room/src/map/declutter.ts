/** Places names so that none covers another: first come, first placed, by rectangles in a coarse grid. */

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const CELL_PX = 64;

export class Declutter {
  private readonly cells = new Map<number, Box[]>();

  /** Take the place if it is free; says whether it was. */
  claim(box: Box): boolean {
    const keys = cellsOf(box);
    for (const key of keys) {
      for (const other of this.cells.get(key) ?? []) if (overlap(box, other)) return false;
    }
    for (const key of keys) {
      const cell = this.cells.get(key);
      if (cell === undefined) this.cells.set(key, [box]);
      else cell.push(box);
    }
    return true;
  }
}

function cellsOf(box: Box): number[] {
  const keys: number[] = [];
  const lastColumn = Math.floor((box.x + box.width) / CELL_PX);
  const lastRow = Math.floor((box.y + box.height) / CELL_PX);
  for (let column = Math.floor(box.x / CELL_PX); column <= lastColumn; column += 1) {
    for (let row = Math.floor(box.y / CELL_PX); row <= lastRow; row += 1) keys.push(column * 10_000 + row);
  }
  return keys;
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
