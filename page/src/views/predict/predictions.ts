import { ApiError, api, ok, type Schema } from "../../api/client";
import { createStore } from "../../shell/store";

export type Model = Schema<"ModelDescription">;
export type PhotoResult = Schema<"PhotoResult">;

/** The lowest score that the page asks for. Higher ones are chosen without asking again. */
export const LOWEST_SCORE = 0.05;

/** A photo that the user has given. */
export interface Photo {
  id: number;
  file: File;
  /** An address of the file in this browser. */
  url: string;
}

/** What is known of one photo and one model. */
export type Prediction =
  | { state: "waiting" }
  | { state: "done"; result: PhotoResult }
  | { state: "failed"; error: unknown };

export type Ask = (photo: Photo, model: Model, signal: AbortSignal) => Promise<PhotoResult>;

type Results = ReadonlyMap<string, Prediction>;

const PATIENCE = 20; // times that a full server is asked again

/** Asks models about photos, one after the other. What was asked last comes first. */
export class Predictions {
  readonly results = createStore<Results>(new Map());
  readonly #ask: Ask;
  readonly #open: { photo: Photo; model: Model }[] = [];
  readonly #stop = new AbortController();
  #isBusy = false;

  constructor(ask: Ask = askServer) {
    this.#ask = ask;
  }

  /** What is known, or undefined if nobody has asked. */
  of(photo: Photo, model: Model): Prediction | undefined {
    return this.results.get().get(keyOf(photo, model));
  }

  /** Ask about photos in their order, before all that is still open. What is known is not asked again. */
  want(photos: readonly Photo[], model: Model): void {
    const wanted = photos.filter((photo) => this.#isOpen(photo, model));
    const others = this.#open.filter(({ photo, model: other }) => other !== model || !wanted.includes(photo));
    this.#open.splice(0, this.#open.length, ...wanted.map((photo) => ({ photo, model })), ...others);
    for (const photo of wanted) this.#set(photo, model, { state: "waiting" });
    void this.#work();
  }

  /** Forget a failure, and ask again. */
  retry(photo: Photo, model: Model): void {
    const rest = new Map(this.results.get());
    rest.delete(keyOf(photo, model));
    this.results.set(rest);
    this.want([photo], model);
  }

  /** End what is in work: the view is closed. */
  close(): void {
    this.#stop.abort();
    this.#open.length = 0;
  }

  #isOpen(photo: Photo, model: Model): boolean {
    const isQueued = this.#open.some((each) => each.photo === photo && each.model === model);
    return isQueued || this.of(photo, model) === undefined;
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#open.shift(); next; next = this.#open.shift()) {
      const { photo, model } = next;
      try {
        const result = await this.#patiently(photo, model);
        this.#set(photo, model, { state: "done", result });
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        this.#set(photo, model, { state: "failed", error });
      }
    }
    this.#isBusy = false;
  }

  /** Ask; ask again while the server says that it is full. */
  async #patiently(photo: Photo, model: Model): Promise<PhotoResult> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#ask(photo, model, this.#stop.signal);
      } catch (error) {
        const isFull = error instanceof ApiError && error.status === 429 && tries < PATIENCE;
        if (!isFull) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * (error.retryAfter ?? 1)));
      }
    }
  }

  #set(photo: Photo, model: Model, prediction: Prediction): void {
    this.results.set(new Map(this.results.get()).set(keyOf(photo, model), prediction));
  }
}

function keyOf(photo: Photo, model: Model): string {
  return `${photo.id} ${model.name}`;
}

async function askServer({ file }: Photo, model: Model, signal: AbortSignal): Promise<PhotoResult> {
  const form = new FormData();
  form.append("photos", file, file.name);
  form.append("model", model.name);
  if (model.task === "detection") form.append("min_score", String(LOWEST_SCORE));
  const body = form as unknown as Schema<"JsonRequest">; // the description has both forms of the body
  const reply = await ok(api.POST("/v1/predict", { body, bodySerializer: () => form, signal }));
  const [result] = reply.results;
  if (!result) throw new Error("the server gave no result");
  return result;
}
