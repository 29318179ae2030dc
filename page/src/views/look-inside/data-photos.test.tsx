import { render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import type { Offer } from "../table";
import { DataPhotos } from "./data-photos";
import type { Session } from "./session";

const DATASETS: Offer["datasets"] = [{ id: "내 사진", name: "내 사진", task: "detection" }];
const PHOTOS = [3, 4].map((number) => ({ number, file: `${number}.jpg`, thumbnail: `/v1/${number}` }));

afterEach(() => vi.unstubAllGlobals());

/** Answers as a server with one data set; the paths that it was asked for. */
function serve(): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async ({ url }: Request) => {
    const path = decodeURIComponent(new URL(url).pathname);
    asked.push(path);
    if (path.endsWith("/image")) return new Response("a photo");
    if (path.endsWith("/photos")) return Response.json({ total: 2, offset: 0, photos: PHOTOS });
    return Response.json({ reading: { state: "ready" } });
  });
  return asked;
}

test("data sets with spaces and other scripts in their names have addresses", async () => {
  const asked = serve();
  const setPhoto = vi.fn();
  const session = { shown: null, setPhoto } as unknown as Session;
  render(<DataPhotos datasets={DATASETS} rest={`${encodeURIComponent("내 사진")}/4`} session={session} />);
  const link = (await screen.findByAltText("4.jpg")).closest("a");
  expect(link?.getAttribute("href")).toBe(`#/look-inside/${encodeURIComponent("내 사진")}/4`);
  expect(link?.getAttribute("aria-current")).toBe("true");
  expect(screen.getByAltText("3.jpg").closest("a")?.hasAttribute("aria-current")).toBe(false);
  await vi.waitFor(() => expect(setPhoto).toHaveBeenCalledOnce());
  expect(setPhoto.mock.calls[0]?.[0].name).toBe("내 사진/4");
  expect(asked.sort()).toEqual([
    "/v1/datasets/내 사진",
    "/v1/datasets/내 사진/photos",
    "/v1/datasets/내 사진/photos/4/image",
  ]);
});
