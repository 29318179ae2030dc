import { expect, test } from "vitest";
import { routeOf } from "./route";
import { languageOf } from "./settings";

test("the language is the chosen one, or the browser's, or English", () => {
  expect(languageOf("ko", ["en-US"])).toBe("ko");
  expect(languageOf("system", ["fr-FR", "ko-KR", "en"])).toBe("ko");
  expect(languageOf("system", ["fr"])).toBe("en");
  expect(languageOf("system", [])).toBe("en");
});

test("the address holds the view and the rest", () => {
  expect(routeOf("#/data/digits/7")).toEqual({ view: "data", rest: "digits/7" });
  expect(routeOf("#/train")).toEqual({ view: "train", rest: "" });
  expect(routeOf("")).toEqual({ view: "", rest: "" });
});
