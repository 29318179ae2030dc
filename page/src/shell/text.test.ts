import { expect, test } from "vitest";
import en from "../messages/en.json";
import ko from "../messages/ko.json";
import { textIn } from "./text";

/** Every text by its key. Texts that count are listed without their ending. */
function texts(node: object, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(node)) {
    const path = prefix + key;
    if (typeof value !== "string") for (const [name, text] of texts(value, `${path}.`)) found.set(name, text);
    else found.set(path.replace(/_(one|other)$/, ""), value);
  }
  return found;
}

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();

test("both languages have the same texts with the same values", () => {
  const [english, korean] = [texts(en), texts(ko)];
  expect([...korean.keys()].sort()).toEqual([...english.keys()].sort());
  for (const [key, text] of english)
    expect([key, placeholders(korean.get(key) ?? "")]).toEqual([key, placeholders(text)]);
});

test("a text that is counted has a form for one and for more", () => {
  const keys = [...Object.keys(flat(en))];
  for (const key of keys.filter((each) => each.endsWith("_one")))
    expect(keys).toContain(key.replace(/_one$/, "_other"));
});

function flat(node: object, prefix = ""): Record<string, string> {
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]) =>
      typeof value === "string" ? [[prefix + key, value]] : Object.entries(flat(value, `${prefix}${key}.`)),
    ),
  );
}

test("numbers follow the language", () => {
  expect(textIn("en").number(12345.5)).toBe("12,345.5");
  expect(textIn("ko").percent(0.256, 1)).toBe("25.6%");
});

test("texts are in their language", () => {
  expect(textIn("en")("predict.title")).toBe("Predict");
  expect(textIn("ko")("predict.title")).toBe("예측");
});
