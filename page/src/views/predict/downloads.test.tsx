import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { Downloads } from "./downloads";
import type { Model } from "./predictions";
import type { Done } from "./save";

const MODEL: Model = { name: "a", method: "ssd", task: "detection", form: "onnx", class_names: ["cat"] };
const FILTER = { minScore: 0.5, hidden: new Set<string>() };

afterEach(cleanup);

test.each([
  [3, "All 3 photos"],
  [16, "All 16 photos"],
  [20, "The first 16 of 20 photos"],
])("%i photos can be saved as: %s", (count, label) => {
  const all = Array.from({ length: count }, (_, id): Done => {
    const photo = { id, file: new File(["x"], `${id}.jpg`), url: `blob:${id}` };
    return { photo, result: { name: `${id}.jpg`, width: 7, height: 6, objects: [] } };
  });
  const current = all[0] as Done;
  render(
    <Downloads model={MODEL} filter={FILTER} current={current} all={all} maxPhotos={16} isNamed={false} />,
  );
  expect(screen.getByRole("checkbox", { name: label })).toBeTruthy();
});
