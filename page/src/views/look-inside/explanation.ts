import { api, ok, type Schema } from "../../api/client";

export type Explanation = Schema<"ExplainReply">;
export type Stage = Schema<"StageReply">;
export type Layer = Stage["layers"][number];
export type BoxLayer = Schema<"BoxLayer">;
export type MapLayer = Schema<"MapLayer">;
export type LabelLayer = Schema<"LabelLayer">;
export type PictureLayer = Schema<"PictureLayer">;
export type AnchorLayer = Schema<"AnchorLayer">;
export type Detail = Schema<"Detail">;
export type Cells = Schema<"Cells">;
export type Model = Schema<"ModelDescription">;
/** x1, y1, x2, y2 in pixels of the photo. */
export type Box = number[];

/** Ask the server for the stages of a photo's way through a model. */
export async function explain(model: Model, photo: Blob, name: string, signal: AbortSignal) {
  const form = new FormData();
  form.append("photos", photo, name);
  form.append("model", model.name);
  return ok(api.POST("/v1/explain", { body: { photos: [] }, bodySerializer: () => form, signal }));
}

export function stageNamed(explanation: Explanation, name: string): Stage | undefined {
  return explanation.stages.find((stage) => stage.name === name);
}

export function layersOf<K extends Layer["kind"]>(stage: Stage, kind: K): Extract<Layer, { kind: K }>[] {
  return stage.layers.filter((layer): layer is Extract<Layer, { kind: K }> => layer.kind === kind);
}

export function boxesNamed(stage: Stage | undefined, name: string): BoxLayer | undefined {
  return stage && layersOf(stage, "boxes").find((layer) => layer.name === name);
}

/** The parts of the photo that a stage shows in detail. */
export function detailsOf(stage: Stage): Detail[] {
  return layersOf(stage, "details").flatMap((layer) => layer.details);
}
