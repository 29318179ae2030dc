import { useEffect, useRef, useState } from "preact/hooks";
import { sizeOf } from "../../parts/gestures";
import { PhotoView, type Shape } from "../../parts/photo-view";
import { ProgressBar } from "../../parts/progress-bar";
import { type Size, type ZoomStore, zoomTo } from "../../parts/zoom";
import { sentenceOf } from "../../shell/notices";
import { useText } from "../../shell/text";
import { ClassScores } from "./class-scores";
import { ObjectList } from "./object-list";
import type { Filter } from "./objects";
import type { Model, Photo, Prediction } from "./predictions";
import { useDrawing } from "./use-drawing";

interface Props {
  photo: Photo;
  model: Model;
  prediction: Prediction | undefined;
  filter: Filter;
  zoom: ZoomStore;
  onRetry: () => void;
}

/** One model's view of a photo: what it found, drawn and listed. */
export function Side({ photo, model, prediction, filter, zoom, onRetry }: Props) {
  const text = useText();
  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<number | string | null>(null);
  const result = prediction?.state === "done" ? prediction.result : undefined;
  const { objects, shapes, overlays } = useDrawing(result, model, filter, text);
  const size = useSize(photo, result);
  const found = result?.objects ? text("predict.found", { count: objects.length }) : "";
  const show = ({ box }: Shape) =>
    size && frame.current && zoom.set(zoomTo(box, size, sizeOf(frame.current)));
  const list = { label: text("predict.objects"), objects, active, onActive: setActive, onSelect: show };
  const drawn = { shapes, overlays, active, onActive: setActive, zoom };
  return (
    <section class="side" aria-label={model.name}>
      <h2>
        {model.name} <span class="soft">{model.method}</span>
      </h2>
      {size && (
        <div class="photo" ref={frame} style={{ aspectRatio: `${size.width} / ${size.height}` }}>
          <PhotoView
            src={photo.url}
            width={size.width}
            height={size.height}
            alt={text("predict.alt", { name: photo.file.name, found })}
            {...drawn}
          />
        </div>
      )}
      <State prediction={prediction} onRetry={onRetry} />
      {result?.scores && <ClassScores model={model} scores={result.scores} />}
      {result?.objects && <p class="found">{found}</p>}
      {result?.objects && <ObjectList {...list} />}
    </section>
  );
}

/** What to wait for, or what went wrong. */
function State({ prediction, onRetry }: Pick<Props, "prediction" | "onRetry">) {
  const text = useText();
  if (prediction?.state === "failed") {
    return (
      <div class="row">
        <p class="problem">{sentenceOf(prediction.error)}</p>
        <button type="button" onClick={onRetry}>
          {text("predict.again")}
        </button>
      </div>
    );
  }
  return prediction?.state === "waiting" ? (
    <ProgressBar label={text("predict.looking")} value={null} />
  ) : null;
}

/** The size of a photo: the browser's, until the server has told it. The browser may not know the format. */
function useSize(photo: Photo, result: Size | undefined): Size | undefined {
  const [own, setOwn] = useState<{ photo: Photo; size: Size }>();
  useEffect(() => {
    const image = new Image();
    image.onload = () => setOwn({ photo, size: { width: image.naturalWidth, height: image.naturalHeight } });
    image.src = photo.url;
    return () => {
      image.onload = null;
    };
  }, [photo]);
  return result ?? (own?.photo === photo ? own.size : undefined);
}
