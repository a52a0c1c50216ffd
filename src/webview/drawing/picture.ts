/** A face as a picture in colours of paper. */
export interface Picture {
  /** A whole SVG document. */
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** What the face on the screen can hand out. */
export interface Exporter {
  picture(): Picture | Promise<Picture>;
  /** Only the sequence: the same as Mermaid text. */
  mermaid?(): string | Promise<string>;
}
