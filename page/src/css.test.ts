import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** The CSS files in a folder of src, as paths from src. */
function cssIn(folder: string): string[] {
  const files = readdirSync(join("src", folder), { recursive: true, encoding: "utf-8" });
  return files.filter((file) => file.endsWith(".css"));
}

/** The selectors of the outermost rules, also of those in a media query. */
function selectors(file: string): string[] {
  const css = readFileSync(join("src", file), "utf-8");
  const plain = css.replace(/\/\*[\s\S]*?\*\//g, "");
  const found: string[] = [];
  const open: string[] = [];
  for (const [, before, mark] of plain.matchAll(/([^{};]*)([{};])/g)) {
    const head = (before as string).trim();
    if (mark === "{" && open.every((each) => each.startsWith("@")) && !head.startsWith("@")) {
      found.push(...head.split(/,(?![^(]*\))/).map((each) => each.trim()));
    }
    if (mark === "{") open.push(head);
    if (mark === "}") open.pop();
  }
  return found;
}

/** The class that a selector begins with; "" for another one. */
const firstClass = (selector: string) => /^\.[\w-]+/.exec(selector)?.[0] ?? "";

// the style of a view stays in the page when another view is opened

test("the selectors of a view begin with its class", () => {
  const files = cssIn("views");
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) {
    const own = `.${file.split("/")[0]}-view`;
    const found = selectors(join("views", file));
    expect(found.length, file).toBeGreaterThan(0);
    expect(
      found.filter((each) => firstClass(each) !== own),
      file,
    ).toEqual([]);
  }
});

test("the selectors of a shared part begin with a class that no other file begins with", () => {
  const owner = new Map<string, string>();
  for (const file of cssIn("parts")) {
    for (const selector of selectors(join("parts", file))) {
      const first = firstClass(selector);
      expect(first, `${file}: ${selector}`).not.toBe("");
      expect(owner.get(first) ?? file, `${file}: ${selector}`).toBe(file);
      owner.set(first, file);
    }
  }
  expect(owner.size).toBeGreaterThan(4);
});
