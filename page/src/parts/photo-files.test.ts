import { expect, test } from "vitest";
import { sortOut } from "./photo-files";

test("files are sorted by their type or their name", () => {
  const files = [
    new File([], "a.jpg", { type: "image/jpeg" }),
    new File([], "b.HEIC"),
    new File([], "c.txt", { type: "text/plain" }),
  ];
  const { photos, others } = sortOut(files);
  expect(photos.map(({ name }) => name)).toEqual(["a.jpg", "b.HEIC"]);
  expect(others).toEqual(["c.txt"]);
});
