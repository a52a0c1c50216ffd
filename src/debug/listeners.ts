/** Undoes a registration. */
export interface Disposable {
  dispose(): void;
}

/** Functions to be called with each value; one that throws does not keep the others from being called. */
export class Listeners<T> {
  private readonly all = new Set<(value: T) => void>();

  /** Calls `listener` with each value until the result is disposed. */
  readonly on = (listener: (value: T) => void): Disposable => {
    // each registration is its own, also of one function twice
    const entry = (value: T): void => listener(value);
    this.all.add(entry);
    return { dispose: () => this.all.delete(entry) };
  };

  /** Calls every listener; throws the first of their errors after all were called. */
  fire(value: T): void {
    let failed: { error: unknown } | undefined;
    for (const listener of [...this.all]) {
      try {
        listener(value);
      } catch (error) {
        failed ??= { error };
      }
    }
    if (failed !== undefined) throw failed.error;
  }

  /** Forgets all listeners. */
  clear(): void {
    this.all.clear();
  }
}
