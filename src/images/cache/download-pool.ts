/** Something that is fetched in stretches, by as many connections as the pool has free. */
export interface Download {
  /** The next stretch as a task; undefined when no more can be begun now. A task never throws: it tells the download itself. */
  next(): (() => Promise<void>) | undefined;
}

/** Shares a number of connections among downloads, those first that are waited for. */
export class DownloadPool {
  readonly #connections: number;
  #active = 0;
  #downloads: Download[] = [];

  constructor(connections: number) {
    this.#connections = connections;
  }

  add(download: Download): void {
    this.#downloads.push(download);
    this.#fill();
  }

  remove(download: Download): void {
    this.#downloads = this.#downloads.filter((other) => other !== download);
  }

  /** Somebody waits for this one: its stretches come before all others'. */
  prefer(download: Download): void {
    if (this.#downloads[0] === download || !this.#downloads.includes(download)) return;
    this.remove(download);
    this.#downloads.unshift(download);
  }

  /** There is something new to begin. */
  wake(): void {
    this.#fill();
  }

  #fill(): void {
    while (this.#active < this.#connections) {
      const task = this.#take();
      if (task === undefined) return;
      this.#active++;
      void task().finally(() => {
        this.#active--;
        this.#fill();
      });
    }
  }

  #take(): (() => Promise<void>) | undefined {
    for (const download of this.#downloads) {
      const task = download.next();
      if (task !== undefined) return task;
    }
    return undefined;
  }
}
