import { expect, test } from "vitest";
import { drafts, keepDraft, keyOf, unsavedPhotos } from "./drafts";
import { change, startDraft } from "./edits";
import { nameOf } from "./keys";

const photo = {
  version: "1-0",
  objects: [{ id: 0, class_name: "cat", kind: "outline" as const, box: null, rings: [] }],
};

test("corrections stay until they are saved or undone", () => {
  const start = startDraft(photo);
  const key = keyOf("pets", 7);
  keepDraft(key, start);
  expect(drafts.get().size).toBe(0);
  keepDraft(key, change(start, []));
  expect(unsavedPhotos(drafts.get(), "pets")).toEqual([7]);
  expect(unsavedPhotos(drafts.get(), "pet")).toEqual([]);
  const leaving = new Event("beforeunload", { cancelable: true });
  dispatchEvent(leaving);
  expect(leaving.defaultPrevented).toBe(true);
  keepDraft(key, null);
  expect(drafts.get().size).toBe(0);
});

test("keys are those of the keyboard, whatever it writes", () => {
  const korean = new KeyboardEvent("keydown", { key: "ㅜ", code: "KeyN" });
  expect(nameOf(korean)).toBe("n");
  const redo = new KeyboardEvent("keydown", { key: "Z", code: "KeyZ", ctrlKey: true, shiftKey: true });
  expect(nameOf(redo)).toBe("Ctrl+Shift+z");
  expect(nameOf(new KeyboardEvent("keydown", { key: "ArrowUp", code: "ArrowUp", altKey: true }))).toBe(
    "Alt+ArrowUp",
  );
});
