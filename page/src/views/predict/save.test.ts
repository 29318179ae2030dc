import { expect, test } from "vitest";
import { archiveName } from "./save";

test("an archive of several photos is named after its format", () => {
  expect(archiveName("BloodImage_00000.zip", "yolo")).toBe("labels-yolo.zip");
  expect(archiveName("BloodImage_00000.zip", "jpg")).toBe("pictures.zip");
  expect(archiveName("BloodImage_00000.zip", "label-maps")).toBe("label-maps.zip");
  expect(archiveName("predictions.csv", "csv")).toBe("predictions.csv");
});
