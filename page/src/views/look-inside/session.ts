import { useEffect, useRef, useState } from "preact/hooks";
import { api, ok } from "../../api/client";
import { showError } from "../../shell/notices";
import { type Explanation, explain, type Model } from "./explanation";

/** A photo that the user has chosen. */
export interface ChosenPhoto {
  file: Blob;
  name: string;
}

/** An explanation, and the address of its photo. */
export interface Shown {
  explanation: Explanation;
  url: string;
}

/** The model, the photo, and what the server says about them. */
export interface Session {
  models: readonly Model[];
  model: Model | null;
  setModel(model: Model): void;
  setPhoto(photo: ChosenPhoto): void;
  /** The last explanation. It stays until the next one has arrived. */
  shown: Shown | null;
  isBusy: boolean;
}

export function useSession(): Session {
  const [models, setModels] = useState<readonly Model[]>([]);
  const [chosen, setModel] = useState<Model | null>(null);
  const [photo, setPhoto] = useState<ChosenPhoto | null>(null);
  useEffect(() => {
    ok(api.GET("/v1/models"))
      .then((reply) => setModels(reply.models.filter((each) => each.form === "torch")))
      .catch(showError);
  }, []);
  const model = chosen ?? models[0] ?? null;
  return { models, model, setModel, setPhoto, ...useExplanation(model, photo) };
}

/** Asks the server whenever the model or the photo changes. A new question replaces the last. */
function useExplanation(model: Model | null, photo: ChosenPhoto | null) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [isBusy, setBusy] = useState(false);
  const url = useRef<string | null>(null);
  useEffect(() => {
    if (!model || !photo) return;
    const stop = new AbortController();
    setBusy(true);
    explain(model, photo.file, photo.name, stop.signal)
      .then((explanation) => {
        if (url.current) URL.revokeObjectURL(url.current);
        url.current = URL.createObjectURL(photo.file);
        setShown({ explanation, url: url.current });
      })
      .catch(showError)
      .finally(() => stop.signal.aborted || setBusy(false));
    return () => stop.abort();
  }, [model, photo]);
  return { shown, isBusy };
}
