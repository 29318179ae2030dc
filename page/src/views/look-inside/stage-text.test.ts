import { expect, test } from "vitest";
import en from "../../messages/en.json";
import ko from "../../messages/ko.json";
import { textIn } from "../../shell/text";
import type { Explanation } from "./explanation";
import methods from "./methods.json"; // tests/serving/explain/test_page_texts.py keeps it up to date
import { stageText, stageTitle, textName } from "./stage-text";

const explanations = Object.values(methods) as unknown as Explanation[];

test.each(["en", "ko"] as const)("every stage of every method has its texts (%s)", (language) => {
  const text = textIn(language);
  for (const explanation of explanations)
    for (const stage of explanation.stages) {
      expect(stageTitle(text, explanation, stage).length).toBeGreaterThan(1);
      expect(stageText(text, explanation, stage)).toMatch(/[.다요]$|\.$/);
    }
});

test("no text is left over", () => {
  const used = new Set(explanations.flatMap((each) => each.stages.map((stage) => textName(each, stage))));
  const more = ["image-tile", "svm-margins", "scores-svm"]; // tiles, and an R-CNN whose SVMs are fitted
  expect([...used, ...more].sort()).toEqual(Object.keys(en["look-inside"].stages).sort());
  expect(Object.keys(ko["look-inside"].stages)).toEqual(Object.keys(en["look-inside"].stages));
});
