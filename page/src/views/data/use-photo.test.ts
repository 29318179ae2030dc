import { act, renderHook, waitFor } from "@testing-library/preact";
import { expect, test, vi } from "vitest";
import { getPhoto, type Photo, saveObjects } from "./api";
import { change, newObject } from "./edits";
import { usePhoto } from "./use-photo";

vi.mock("./api", () => ({ getPhoto: vi.fn(), restoreVersion: vi.fn(), saveObjects: vi.fn() }));

const PHOTO = { version: "1-0", label_file: "", kept: "", objects: [] } as unknown as Photo;

test("saving without a correction does and says nothing", async () => {
  vi.mocked(getPhoto).mockResolvedValue(PHOTO);
  vi.mocked(saveObjects).mockResolvedValue({ ...PHOTO, label_file: "labels/1.txt" });
  const onSaved = vi.fn();
  const { result } = renderHook(() => usePhoto("pets", 0, onSaved));
  await waitFor(() => expect(result.current.draft).not.toBe(null));
  await act(() => result.current.save());
  expect(saveObjects).not.toHaveBeenCalled();
  expect(onSaved).not.toHaveBeenCalled();
  expect(result.current.saved).toBe("");

  const { draft } = result.current;
  if (!draft) throw new Error("the photo is gone");
  const added = newObject("cat", { kind: "box", box: [1, 1, 9, 9], rings: [] });
  act(() => result.current.edit(change(draft, [added])));
  await act(() => result.current.save());
  expect(saveObjects).toHaveBeenCalledOnce();
  expect(onSaved).toHaveBeenCalledOnce();
  expect(result.current.saved).toBe("Saved in labels/1.txt.");
});
