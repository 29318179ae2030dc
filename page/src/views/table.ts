import type { ComponentType } from "preact";
import type { Schema } from "../api/client";

export type Offer = Schema<"Offer">;
export type ViewName = Offer["views"][number];

/** What every view is given. */
export interface ViewProps {
  /** What the server can do. */
  offer: Offer;
  /** What follows the name of the view in the address: "digits/7" in #/data/digits/7. May be "". */
  rest: string;
}

type View = ComponentType<ViewProps>;

/** Each view is a file of its own, loaded when it is first opened. */
export const VIEWS: Record<ViewName, () => Promise<{ default: View }>> = {
  predict: () => import("./predict"),
  "look-inside": () => import("./look-inside"),
  data: () => import("./data"),
  train: () => import("./train"),
  compare: () => import("./compare"),
  forecast: () => import("./forecast"),
};
