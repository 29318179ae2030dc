import { expect, test, vi } from "vitest";
import { ApiError } from "../../api/client";
import { countClasses, drawObjects, isShown } from "./objects";
import { type Ask, type Model, type Photo, type PhotoResult, Predictions } from "./predictions";
import { bodyOf, nameIn } from "./save";

const MODEL: Model = {
  name: "a",
  method: "ssd",
  task: "detection",
  form: "onnx",
  class_names: ["cat", "dog"],
};
const OTHER: Model = { ...MODEL, name: "b" };
const RESULT: PhotoResult = {
  name: "1.jpg",
  width: 7,
  height: 6,
  objects: [
    { class: "dog", score: 0.9, box: [2, 1, 6, 4] },
    { class: "cat", score: 0.4, box: [0, 0, 2, 2], mask: { size: [6, 7], counts: "=42MO112005" } },
  ],
};

const photo = (id: number): Photo => ({ id, file: new File(["x"], `${id}.jpg`), url: `blob:${id}` });

function asked(answers: (() => Promise<PhotoResult>)[] = []) {
  const order: string[] = [];
  const ask: Ask = ({ id }, { name }) => {
    order.push(`${id}${name}`);
    return (answers.shift() ?? (async () => RESULT))();
  };
  return { order, predictions: new Predictions(ask) };
}

const until = (isTrue: () => boolean) => vi.waitFor(() => expect(isTrue()).toBe(true));

test("photos are asked one after the other, the latest wish first, each once", async () => {
  const { order, predictions } = asked();
  const photos = [photo(1), photo(2), photo(3)];
  predictions.want(photos, MODEL);
  predictions.want([photos[2] as Photo], MODEL);
  predictions.want([photos[1] as Photo], OTHER);
  await until(() => order.length === 4 && predictions.of(photos[1] as Photo, MODEL)?.state === "done");
  expect(order).toEqual(["1a", "2b", "3a", "2a"]);
  predictions.want(photos, MODEL);
  expect(order.length).toBe(4);
});

test("a failure is told, and can be asked again", async () => {
  const { predictions } = asked([async () => Promise.reject(new Error("no photo"))]);
  const [one] = [photo(1)];
  predictions.want([one], MODEL);
  await until(() => predictions.of(one, MODEL)?.state === "failed");
  predictions.retry(one, MODEL);
  await until(() => predictions.of(one, MODEL)?.state === "done");
});

test("a full server is asked again after the time that it tells", async () => {
  vi.useFakeTimers();
  const { order, predictions } = asked([
    async () => Promise.reject(new ApiError(429, "queue-full", "full", 7)),
  ]);
  predictions.want([photo(1)], MODEL);
  await vi.advanceTimersByTimeAsync(6900);
  expect(order.length).toBe(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(order.length).toBe(2);
  vi.useRealTimers();
});

test("objects have the color of their class, and the outline of their mask", () => {
  const [dog, cat] = drawObjects(RESULT.objects ?? [], MODEL);
  expect(dog?.shape).toEqual({ id: 0, box: [2, 1, 6, 4], color: "#E69F00", name: "dog" });
  expect(cat?.shape.color).toBe("#56B4E9");
  expect(cat?.shape.path).toMatch(/^M2,1L/);
});

test("the filter acts on scores and classes", () => {
  const shown = (minScore: number, ...hidden: string[]) =>
    (RESULT.objects ?? []).filter((each) => isShown(each, { minScore, hidden: new Set(hidden) })).length;
  expect([shown(0), shown(0.5), shown(0, "dog"), shown(0.9), shown(0.91)]).toEqual([2, 1, 1, 1, 0]);
  expect([...countClasses(RESULT.objects ?? [], 0.5)]).toEqual([["dog", 1]]);
});

test("what is filtered out is not saved", async () => {
  const filter = { minScore: 0.5, hidden: new Set<string>() };
  const coco = await bodyOf([{ photo: photo(1), result: RESULT }], MODEL, filter, "coco");
  expect(coco.results[0]?.objects?.map((each) => each.class)).toEqual(["dog"]);
  expect(coco.results[0]?.photo).toBeNull();
  const picture = await bodyOf([{ photo: photo(1), result: RESULT }], MODEL, filter, "jpg");
  expect(picture.results[0]?.photo?.base64).toBe("eA==");
});

test("the name of a download", () => {
  expect(nameIn("attachment; filename*=UTF-8''%EC%82%AC%EC%A7%84.json")).toBe("사진.json");
  expect(nameIn("")).toBe("boxmask");
});
