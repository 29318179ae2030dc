import { type Filter, type ListedPhoto, listPhotos, type PhotoPage } from "./api";

const PAGE = 100;

/** The photos that pass a filter, of which only the parts that are looked at are loaded. */
export class PhotoList {
  /** null until the first part has come. */
  total: number | null = null;
  private readonly pages = new Map<number, ListedPhoto[] | "loading">();
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly dataset: string,
    readonly filter: Filter,
    private readonly onError: (error: unknown) => void,
    private readonly load: typeof listPhotos = listPhotos,
  ) {}

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The photo at a place of the list; undefined while it is loaded. */
  at(index: number): ListedPhoto | undefined {
    const page = this.pages.get(Math.floor(index / PAGE));
    return page === "loading" ? undefined : page?.[index % PAGE];
  }

  /** Load the photos from one place to before another. */
  async want(from: number, to: number): Promise<void> {
    const last = Math.floor(Math.max(from, to - 1) / PAGE);
    const missing: number[] = [];
    for (let page = Math.floor(from / PAGE); page <= last; page++) {
      if (!this.pages.has(page)) missing.push(page);
    }
    await Promise.all(missing.map((page) => this.loadPage(page)));
  }

  /** The place of a photo near another place; null if it is not among the photos. */
  async placeOf(photo: number, near: number | null): Promise<number | null> {
    if (near !== null && this.at(near)?.number === photo) return near;
    await this.want(0, 1);
    let [low, high] = [0, (this.total ?? 0) - 1];
    while (low <= high) {
      const middle = (low + high) >> 1; // numbers rise, because all lists are in the order of names
      await this.want(middle, middle + 1);
      const number = this.at(middle)?.number;
      if (number === undefined) return null;
      if (number === photo) return middle;
      if (number < photo) low = middle + 1;
      else high = middle - 1;
    }
    return null;
  }

  private async loadPage(page: number): Promise<void> {
    this.pages.set(page, "loading");
    try {
      this.put(page, await this.load(this.dataset, this.filter, page * PAGE, PAGE));
    } catch (error) {
      this.pages.delete(page);
      this.onError(error);
    }
  }

  private put(page: number, found: PhotoPage): void {
    this.pages.set(page, found.photos);
    this.total = found.total;
    for (const listener of [...this.listeners]) listener();
  }
}
