import { useState } from "preact/hooks";
import { showError } from "../../shell/notices";
import { type Key, useText } from "../../shell/text";
import type { Filter } from "./objects";
import type { Model } from "./predictions";
import { bodyOf, type Done, download, FORMATS, type Format } from "./save";

interface Props {
  model: Model;
  filter: Filter;
  current: Done;
  /** All photos that this model has seen. */
  all: readonly Done[];
  /** How many photos the server takes at once. */
  maxPhotos: number;
  /** Whether the model is named, because there are several. */
  isNamed: boolean;
}

/** Saves what is shown in the formats of `boxmask predict --save`. */
export function Downloads({ model, filter, current, all, maxPhotos, isNamed }: Props) {
  const text = useText();
  const [isForAll, setForAll] = useState(false);
  const [busy, setBusy] = useState<Format | null>(null);
  const some = all.slice(0, maxPhotos);
  const start = async (format: Format) => {
    setBusy(format);
    try {
      await download(await bodyOf(isForAll ? some : [current], model, filter, format));
    } catch (error) {
      showError(error);
    }
    setBusy(null);
  };
  return (
    <fieldset class="downloads">
      <legend>{isNamed ? text("predict.downloadOf", { name: model.name }) : text("predict.download")}</legend>
      <div class="row">
        {(FORMATS[model.task] ?? []).map((format) => (
          <button key={format} type="button" disabled={busy !== null} onClick={() => start(format)}>
            {text(busy === format ? "predict.saving" : (`predict.formats.${format}` as Key))}
          </button>
        ))}
      </div>
      {all.length > 1 && (
        <label class="check">
          <input type="checkbox" checked={isForAll} onChange={() => setForAll(!isForAll)} />
          {some.length < all.length
            ? text("predict.firstPhotos", { count: some.length, total: all.length })
            : text("predict.allPhotos", { count: all.length })}
        </label>
      )}
    </fieldset>
  );
}
