import { useEffect, useMemo, useState } from "preact/hooks";
import { api, ok } from "../../api/client";
import { Dropzone } from "../../parts/dropzone";
import { createZoom } from "../../parts/zoom";
import { announce, showError } from "../../shell/notices";
import { useStore } from "../../shell/store";
import { useText } from "../../shell/text";
import type { ViewProps } from "../table";
import { Downloads } from "./downloads";
import { Filters, type Shown } from "./filters";
import { ModelChoice } from "./model-choice";
import { type Filter, isShown } from "./objects";
import { type Model, type Photo, Predictions } from "./predictions";
import type { Done } from "./save";
import { Side } from "./side";
import { Strip } from "./strip";
import { usePhotos } from "./use-photos";
import "./predict.css";

const START: Filter = { minScore: 0.5, hidden: new Set() };

/** Photos in, what one or two models find in them out. */
export default function PredictView({ offer, rest }: ViewProps) {
  const text = useText();
  const { photos, current, add, choose, remove } = usePhotos();
  const [models, setModels] = useState<readonly Model[]>([]);
  useEffect(() => {
    ok(api.GET("/v1/models"))
      .then((reply) => setModels(withFirst(reply.models, decodeURIComponent(rest))))
      .catch(showError);
  }, [rest]);
  return (
    <section class="view predict-view">
      <h1>{text("predict.title")}</h1>
      {!current && <p>{text("predict.purpose")}</p>}
      <Dropzone onPhotos={add} isSmall={current !== undefined} />
      {current && photos.length > 1 && (
        <Strip photos={photos} current={current} onChoose={choose} onRemove={remove} />
      )}
      {current && models.length > 0 && (
        <Workbench models={models} photos={photos} current={current} offer={offer} />
      )}
    </section>
  );
}

/** The models, the one with this name first. */
function withFirst(models: readonly Model[], name: string): readonly Model[] {
  return [...models.filter((model) => model.name === name), ...models.filter((model) => model.name !== name)];
}

interface WorkbenchProps {
  models: readonly Model[];
  photos: readonly Photo[];
  current: Photo;
  offer: ViewProps["offer"];
}

/** The photo with what the models found, and the controls. */
function Workbench({ models, photos, current, offer }: WorkbenchProps) {
  const { first, second, chosen, setFirst, setSecond } = useChosen(models);
  const [filter, setFilter] = useState(START);
  const predictions = usePredictions(photos, current, chosen);
  const zoom = useMemo(createZoom, [current]);
  const shown = useShown(predictions, current, chosen);
  useSpokenResult(shown[0], filter);
  return (
    <div class="workbench">
      <div class={`sides of-${chosen.length}`}>
        {chosen.map((model) => (
          <Side
            key={model.name}
            photo={current}
            model={model}
            prediction={predictions.of(current, model)}
            filter={filter}
            zoom={zoom}
            onRetry={() => predictions.retry(current, model)}
          />
        ))}
      </div>
      <div class="controls panel">
        <ModelChoice models={models} first={first} second={second} onFirst={setFirst} onSecond={setSecond} />
        <Filters shown={shown} filter={filter} onChange={setFilter} />
        {offer.can_save &&
          shown.map(({ model, result }) => (
            <Downloads
              key={model.name}
              model={model}
              filter={filter}
              current={{ photo: current, result }}
              all={doneOf(predictions, photos, model)}
              maxPhotos={offer.limits.max_photos}
              isNamed={chosen.length > 1}
            />
          ))}
      </div>
    </div>
  );
}

/** The model that is shown, and maybe another one beside it. */
function useChosen(models: readonly Model[]) {
  const [first, setFirst] = useState(models[0] as Model);
  const [other, setSecond] = useState<Model>();
  const second = other === first ? undefined : other;
  const chosen = useMemo(() => (second ? [first, second] : [first]), [first, second]);
  return { first, second, chosen, setFirst, setSecond };
}

/** Ask the chosen models about all photos, the shown one first. */
function usePredictions(photos: readonly Photo[], current: Photo, chosen: readonly Model[]): Predictions {
  const predictions = useMemo(() => new Predictions(), []);
  useStore(predictions.results);
  useEffect(() => () => predictions.close(), [predictions]);
  useEffect(() => {
    const others = photos.filter((photo) => photo !== current);
    for (const model of [...chosen].reverse()) predictions.want(others, model);
    for (const model of [...chosen].reverse()) predictions.want([current], model);
  }, [predictions, photos, current, chosen]);
  return predictions;
}

/** The results of the shown photo that have arrived. */
function useShown(predictions: Predictions, current: Photo, chosen: readonly Model[]): Shown[] {
  const results = predictions.results.get();
  // `results` says when `predictions` has changed
  return useMemo(
    () =>
      chosen.flatMap((model) => {
        const prediction = predictions.of(current, model);
        return prediction?.state === "done" ? [{ model, result: prediction.result }] : [];
      }),
    [predictions, results, current, chosen],
  );
}

function doneOf(predictions: Predictions, photos: readonly Photo[], model: Model): Done[] {
  return photos.flatMap((photo) => {
    const prediction = predictions.of(photo, model);
    return prediction?.state === "done" ? [{ photo, result: prediction.result }] : [];
  });
}

/** Tell users of screen readers that a result has arrived. */
function useSpokenResult(shown: Shown | undefined, filter: Filter): void {
  const text = useText();
  const result = shown?.result;
  // spoken once per result, not at each move of the slider
  useEffect(() => {
    if (!result) return;
    const count = result.objects?.filter((found) => isShown(found, filter)).length;
    announce(count === undefined ? text("predict.ready") : text("predict.found", { count }));
  }, [result]);
}
