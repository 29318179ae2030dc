import en from "../messages/en.json";
import ko from "../messages/ko.json";
import { type Language, languageChoice, languageOf } from "./settings";
import { useStore } from "./store";

/** The texts of the page. English is complete; a test checks that the others have the same keys. */
type Messages = typeof en;
const MESSAGES: Record<Language, object> = { en, ko };

/** A key such as "predict.title". Texts that count have the key without its ending `_one` or `_other`. */
export type Key = Leaf<Messages>;
type Leaf<T, Prefix extends string = ""> = {
  [K in keyof T & string]: T[K] extends string ? `${Prefix}${Counted<K>}` : Leaf<T[K], `${Prefix}${K}.`>;
}[keyof T & string];
type Counted<K extends string> = K extends `${infer Base}_${"one" | "other"}` ? Base | K : K;

export type Values = Readonly<Record<string, string | number>>;

/** Texts and numbers in one language. */
export interface Text {
  readonly language: Language;
  /** A text. {name} is replaced by `values.name`; `values.count` also chooses between `_one` and `_other`. */
  (key: Key, values?: Values): string;
  /** A number as people write it. */
  number(value: number, options?: Intl.NumberFormatOptions): string;
  /** A fraction as percent. */
  percent(value: number, digits?: number): string;
}

export function textIn(language: Language): Text {
  const rules = new Intl.PluralRules(language);
  const number = (value: number, options?: Intl.NumberFormatOptions) =>
    new Intl.NumberFormat(language, options).format(value);
  const text = (key: Key, values: Values = {}) => {
    const count = values.count;
    const found =
      (typeof count === "number" ? lookUp(language, `${key}_${rules.select(count)}`) : undefined) ??
      lookUp(language, key) ??
      lookUp(language, `${key}_other`);
    if (found === undefined) throw new Error(`messages/${language}.json has no text ${key}`);
    return found.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`${key}: no value for ${whole}`);
      return typeof value === "number" ? number(value) : value;
    });
  };
  const percent = (value: number, digits = 0) =>
    number(value, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });
  return Object.assign(text, { language, number, percent });
}

/** The texts in the language of the page, also outside of components. */
export function currentText(): Text {
  return textOf(languageOf(languageChoice.get(), navigator.languages));
}

/** The texts in the language of the page. The component is drawn again when the language changes. */
export function useText(): Text {
  return textOf(languageOf(useStore(languageChoice), navigator.languages));
}

const made = new Map<Language, Text>();

function textOf(language: Language): Text {
  const text = made.get(language) ?? textIn(language);
  made.set(language, text);
  return text;
}

function lookUp(language: Language, key: string): string | undefined {
  let node: unknown = MESSAGES[language];
  for (const part of key.split(".")) {
    if (typeof node !== "object" || node === null) return undefined;
    node = (node as Record<string, unknown>)[part];
  }
  return typeof node === "string" ? node : undefined;
}
