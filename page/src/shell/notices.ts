import { ApiError } from "../api/client";
import { createStore } from "./store";
import { currentText } from "./text";

/** The sentence in the banner, until it is closed or another view opens. */
export const banner = createStore<string | null>(null);

/** What screen readers say next. The number makes them repeat equal sentences. */
export const spoken = createStore<{ text: string; number: number }>({ text: "", number: 0 });

/** Tell the user about an error: in the banner, which screen readers read at once. */
export function showError(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return; // the page itself has stopped it
  if (error instanceof ApiError && error.status === 401) return; // the form to sign in appears
  banner.set(sentenceOf(error));
}

/** Say something to users of screen readers: that a result has arrived, for example. */
export function announce(text: string): void {
  spoken.set({ text, number: spoken.get().number + 1 });
}

/** What an error means. The server's own sentences are shown as they are. */
export function sentenceOf(error: unknown): string {
  if (error instanceof ApiError) return upperFirst(error.message);
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) {
    return currentText()("shell.unreachable");
  }
  return error instanceof Error ? upperFirst(error.message) : String(error);
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
