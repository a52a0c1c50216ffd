/** Memory that runs of one exploration use one after the other: fresh arrays are dear to collect. */

interface Shelf {
  readonly pieces: Uint8Array[];
  used: number;
}

/** Gives pieces of memory until it is reset; then they are given again. */
export class PagePool {
  private readonly shelves = new Map<number, Shelf>();

  /** A piece of zeros. */
  zeros(size: number): Uint8Array {
    return this.take(size).fill(0);
  }

  /** A piece with the same bytes. */
  copy(bytes: Uint8Array): Uint8Array {
    const piece = this.take(bytes.length);
    piece.set(bytes);
    return piece;
  }

  /** Whoever held a piece has no use for it any more. */
  reset(): void {
    for (const shelf of this.shelves.values()) shelf.used = 0;
  }

  private take(size: number): Uint8Array {
    let shelf = this.shelves.get(size);
    if (shelf === undefined) {
      shelf = { pieces: [], used: 0 };
      this.shelves.set(size, shelf);
    }
    const at = shelf.used++;
    let piece = shelf.pieces[at];
    if (piece === undefined) {
      piece = new Uint8Array(size);
      shelf.pieces.push(piece);
    }
    return piece;
  }
}
