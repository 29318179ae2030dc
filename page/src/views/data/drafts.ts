import { createStore } from "../../shell/store";
import { type Draft, isDirty } from "./edits";

/** The corrections that are not saved, by data set and photo. They stay while the page is open. */
export const drafts = createStore<ReadonlyMap<string, Draft>>(new Map());

export const keyOf = (dataset: string, photo: number): string => `${dataset}/${photo}`;

/** Keep the corrections of a photo; those without a change are dropped. */
export function keepDraft(key: string, draft: Draft | null): void {
  const kept = new Map(drafts.get());
  if (draft && isDirty(draft)) kept.set(key, draft);
  else kept.delete(key);
  drafts.set(kept);
}

/** The photos of a data set with corrections that are not saved. */
export function unsavedPhotos(all: ReadonlyMap<string, Draft>, dataset: string): number[] {
  const start = `${dataset}/`;
  return [...all.keys()].filter((key) => key.startsWith(start)).map((key) => Number(key.slice(start.length)));
}

addEventListener("beforeunload", (event) => {
  if (drafts.get().size > 0) event.preventDefault();
});
