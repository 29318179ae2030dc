import { expect, test } from "vitest";
import { textIn } from "../../shell/text";
import { obstacleText } from "./obstacle";

test("obstacles are told in the language of the page", () => {
  const told = { shapes: [], code: "archive", message: "This data set is an archive." };
  expect(obstacleText(told, "pets.zip", textIn("ko"))).toContain("압축 파일");
  const form = { ...told, code: "format" };
  expect(obstacleText(form, "my/pets", textIn("en"))).toContain("boxmask convert my/pets --to coco");
});

test("an obstacle that the page does not know keeps the sentence of the server", () => {
  const told = { shapes: [], code: "new", message: "Something else." };
  expect(obstacleText(told, "pets", textIn("ko"))).toBe("Something else.");
});
