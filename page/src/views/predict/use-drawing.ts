import { useEffect, useMemo, useState } from "preact/hooks";
import { decodeLabelMap, type LabelMap, paintLabelMap } from "../../parts/label-map";
import type { Overlay, Shape } from "../../parts/photo-view";
import { showError } from "../../shell/notices";
import type { Text } from "../../shell/text";
import { type DrawnObject, drawObjects, type Filter, isShown } from "./objects";
import type { Model, PhotoResult } from "./predictions";

const OPACITY = 0.5;

/** What is drawn over a photo. */
export interface Drawing {
  objects: readonly DrawnObject[];
  shapes: readonly Shape[];
  overlays: readonly Overlay[];
}

/** What a result draws over its photo. The filter acts on what is decoded already. */
export function useDrawing(
  result: PhotoResult | undefined,
  model: Model,
  filter: Filter,
  text: Text,
): Drawing {
  const { minScore, hidden } = filter;
  const all = useMemo(() => drawObjects(result?.objects ?? [], model), [result, model]);
  const objects = useMemo(
    () => all.filter(({ found }) => isShown(found, { minScore, hidden })),
    [all, minScore, hidden],
  );
  const shapes = useMemo(
    () =>
      objects.map(({ found, shape }) => ({ ...shape, name: `${found.class} ${text.percent(found.score)}` })),
    [objects, text],
  );
  const map = useLabelMap(result?.label_map);
  const overlays = useMemo(
    () => (map ? [{ picture: paintLabelMap(map, model.class_names, hidden), opacity: OPACITY }] : []),
    [map, model, hidden],
  );
  return { objects, shapes, overlays };
}

function useLabelMap(png: string | null | undefined): LabelMap | undefined {
  const [map, setMap] = useState<LabelMap>();
  useEffect(() => {
    setMap(undefined);
    let isLatest = true;
    if (png) {
      decodeLabelMap(png)
        .then((decoded) => isLatest && setMap(decoded))
        .catch(showError);
    }
    return () => {
      isLatest = false;
    };
  }, [png]);
  return map;
}
