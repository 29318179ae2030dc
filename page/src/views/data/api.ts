import { api, ok, type Schema } from "../../api/client";

export type DataSet = Schema<"DataSetReply">;
export type Photo = Schema<"PhotoReply">;
export type ListedPhoto = Schema<"ListedPhoto">;
export type PhotoPage = Schema<"PhotoPage">;
export type FindingGroup = Schema<"FindingGroupReply">;
export type SavedObject = Schema<"ObjectBody">;

/** The client calls boxes lists of numbers; they have four. */
const asPhoto = (answer: Promise<object>) => answer as Promise<Photo>;

/** Which photos to show, as the route of photos takes it. Nothing is asked for by "" and false. */
export interface Filter {
  class_name: string;
  object_size: "" | "small" | "medium" | "large";
  photo_size: "" | "small" | "medium" | "large";
  finding: string;
  empty: boolean;
  text: string;
}

export const ALL: Filter = {
  class_name: "",
  object_size: "",
  photo_size: "",
  finding: "",
  empty: false,
  text: "",
};

export function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some(Boolean);
}

export const describe = (name: string): Promise<DataSet> =>
  ok(api.GET("/v1/datasets/{name}", { params: { path: { name } } }));

export const readAgain = (name: string): Promise<DataSet> =>
  ok(api.POST("/v1/datasets/{name}/read", { params: { path: { name } } }));

export const getPhoto = (name: string, photo: number): Promise<Photo> =>
  asPhoto(ok(api.GET("/v1/datasets/{name}/photos/{photo}", { params: { path: { name, photo } } })));

/** A part of the photos that pass a filter. */
export function listPhotos(name: string, filter: Filter, offset: number, limit: number): Promise<PhotoPage> {
  const { object_size, photo_size, ...others } = filter;
  const sizes = { ...(object_size && { object_size }), ...(photo_size && { photo_size }) };
  const query = { ...others, ...sizes, offset, limit };
  const answer: Promise<object> = ok(
    api.GET("/v1/datasets/{name}/photos", { params: { path: { name }, query } }),
  );
  return answer as Promise<PhotoPage>;
}

export const saveObjects = (
  name: string,
  photo: number,
  version: string,
  objects: SavedObject[],
): Promise<Photo> =>
  asPhoto(
    ok(
      api.PUT("/v1/datasets/{name}/photos/{photo}/objects", {
        params: { path: { name, photo } },
        body: { version, objects },
      }),
    ),
  );

export const restoreVersion = (
  name: string,
  photo: number,
  version: string,
  number: number,
): Promise<DataSet> =>
  ok(
    api.POST("/v1/datasets/{name}/photos/{photo}/restore", {
      params: { path: { name, photo } },
      body: { version, number },
    }),
  );
