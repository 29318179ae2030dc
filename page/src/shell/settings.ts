import { createStore } from "./store";

export const THEMES = ["system", "light", "dark"] as const;
export const LANGUAGES = ["system", "en", "ko"] as const;
export type Theme = (typeof THEMES)[number];
export type LanguageChoice = (typeof LANGUAGES)[number];
export type Language = "en" | "ko";

/** What the user has chosen on this computer. */
export const theme = createStore<Theme>(kept("theme", THEMES));
export const languageChoice = createStore<LanguageChoice>(kept("language", LANGUAGES));

theme.subscribe(() => {
  keep("theme", theme.get());
  applyTheme();
});
languageChoice.subscribe(() => keep("language", languageChoice.get()));

/** Give the document the chosen colors. Without a choice, CSS follows the computer. */
export function applyTheme(): void {
  const chosen = theme.get();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

/** The language to show: the chosen one, or the first of the browser's that the page has. */
export function languageOf(choice: LanguageChoice, wanted: readonly string[]): Language {
  if (choice !== "system") return choice;
  const known = wanted.map((tag) => tag.split("-")[0]?.toLowerCase());
  return known.find((tag): tag is Language => tag === "en" || tag === "ko") ?? "en";
}

function kept<T extends string>(name: string, values: readonly T[]): T {
  const value = storage()?.getItem(`boxmask.${name}`);
  return values.find((each) => each === value) ?? (values[0] as T);
}

function keep(name: string, value: string): void {
  storage()?.setItem(`boxmask.${name}`, value);
}

/** The browser's store, or nothing where the user has blocked it: choices then last until the page is closed. */
function storage(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}
