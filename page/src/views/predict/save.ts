import { api, refusal, type Schema } from "../../api/client";
import { type Filter, isShown } from "./objects";
import type { Model, Photo, PhotoResult } from "./predictions";

export type Format = Schema<"SaveBody">["format"];

/** The formats of a task, in the order of their buttons. */
export const FORMATS: Record<string, readonly Format[]> = {
  detection: ["jpg", "coco", "yolo", "labelme", "csv"],
  segmentation: ["jpg", "label-maps"],
  classification: ["csv"],
};

/** A photo and its result. */
export interface Done {
  photo: Photo;
  result: PhotoResult;
}

/** The description of answers does not say that a box has four numbers. */
type SavedObjects = Schema<"SavedResult">["objects"];

/** What the server writes into files: the results, without what is filtered out. */
export async function bodyOf(
  done: readonly Done[],
  model: Model,
  filter: Filter,
  format: Format,
): Promise<Schema<"SaveBody">> {
  const shown = model.class_names.filter((name) => !filter.hidden.has(name));
  const results = done.map(async ({ photo, result }) => ({
    name: result.name,
    width: result.width,
    height: result.height,
    objects: (result.objects?.filter((found) => isShown(found, filter)) ?? null) as SavedObjects,
    label_map: result.label_map ?? null,
    classes: result.label_map ? shown : null,
    scores: result.scores ?? null,
    photo: format === "jpg" ? { name: result.name, base64: await base64Of(photo.file) } : null,
  }));
  return { model: model.name, format, results: await Promise.all(results) };
}

/** Let the server write a file, and let the browser save it. */
export async function download(body: Schema<"SaveBody">): Promise<void> {
  const { data, error, response } = await api.POST("/v1/save", { body, parseAs: "blob" });
  if (!response.ok) throw refusal(response, error);
  const link = document.createElement("a");
  const url = URL.createObjectURL(data as Blob);
  link.href = url;
  const name = nameIn(response.headers.get("content-disposition") ?? "");
  link.download = body.results.length > 1 ? archiveName(name, body.format) : name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may still read it
}

/** The name of a file in the header of a download. */
export function nameIn(disposition: string): string {
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1];
  return encoded ? decodeURIComponent(encoded) : "boxmask";
}

/** The name of an archive of several photos, which the server names after the first one. */
export function archiveName(name: string, format: Format): string {
  if (!name.endsWith(".zip")) return name;
  if (format === "jpg") return "pictures.zip";
  return format === "label-maps" ? "label-maps.zip" : `labels-${format}.zip`;
}

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^data:[^,]*,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
