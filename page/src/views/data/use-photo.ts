import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiError } from "../../api/client";
import { announce, sentenceOf, showError } from "../../shell/notices";
import { useStore } from "../../shell/store";
import { currentText } from "../../shell/text";
import { type DataSet, getPhoto, type Photo, readAgain, restoreVersion, saveObjects } from "./api";
import { drafts, keepDraft, keyOf } from "./drafts";
import { bodyOf, type Draft, isDirty, startDraft } from "./edits";

/** A photo, its corrections, and what can be done with them. */
export interface OpenPhoto {
  photo: Photo | null;
  draft: Draft | null;
  /** Why the last saving was refused because labels have changed elsewhere; "" if it was not. */
  conflict: string;
  /** What was saved last, as a sentence; "" after the next correction. */
  saved: string;
  isBusy: boolean;
  edit: (draft: Draft) => void;
  save: () => Promise<void>;
  /** Load the photo again, without the corrections; from disk if another program has written its labels. */
  reload: () => Promise<void>;
  /** Let the server read the whole data set again. */
  readAgain: () => Promise<void>;
  restore: (number: number) => Promise<void>;
}

interface State {
  photo: Photo | null;
  /** Without corrections, or with all of them undone. */
  clean: Draft | null;
  conflict: string;
  saved: string;
  isBusy: boolean;
}

const EMPTY: State = { photo: null, clean: null, conflict: "", saved: "", isBusy: false };

/** Called with the data set if other photos have changed, too; with null if only this one has. */
type OnSaved = (data: DataSet | null) => void;

export function usePhoto(dataset: string, number: number, onSaved: OnSaved): OpenPhoto {
  const [state, setState] = useState(EMPTY);
  const change = useCallback((part: Partial<State>) => setState((before) => ({ ...before, ...part })), []);
  const show = useCallback(
    (photo: Photo, saved = "") => change({ photo, clean: startDraft(photo), conflict: "", saved }),
    [change],
  );
  useEffect(() => {
    let isCurrent = true;
    getPhoto(dataset, number)
      .then((found) => isCurrent && show(found))
      .catch(showError);
    return () => {
      isCurrent = false;
    };
  }, [dataset, number, show]);
  const key = keyOf(dataset, number);
  const draft = useStore(drafts).get(key) ?? state.clean;
  const edit = (next: Draft) => {
    change({ clean: next, saved: "" });
    keepDraft(key, next);
  };
  return { ...state, draft, edit, ...actions({ dataset, number, draft, state, change, show, onSaved }) };
}

interface Context {
  dataset: string;
  number: number;
  draft: Draft | null;
  state: State;
  change: (part: Partial<State>) => void;
  show: (photo: Photo, saved?: string) => void;
  onSaved: OnSaved;
}

function actions({ dataset, number, draft, state, change, show, onSaved }: Context) {
  const key = keyOf(dataset, number);
  const { load, read, reload } = loading({ dataset, number, show, onSaved });
  const save = async () => {
    if (!draft || !isDirty(draft)) return;
    const photo = await saveObjects(dataset, number, draft.version, bodyOf(draft));
    keepDraft(key, null);
    const name = photo.kept ? "data.saved" : "data.savedNew";
    const saved = currentText()(name, { file: photo.kept || photo.label_file });
    show(photo, saved);
    announce(saved);
    onSaved(null);
  };
  const restore = async (version: number) => {
    const data = await restoreVersion(dataset, number, state.photo?.version ?? "", version);
    const saved = currentText()("data.restored");
    keepDraft(key, null);
    announce(saved);
    onSaved(data);
    if (data.reading.state !== "reading") await load(saved);
  };
  return {
    reload: () => during(change, reload),
    readAgain: () => during(change, read),
    save: () => during(change, save),
    restore: (version: number) => during(change, () => restore(version)),
  };
}

/** The ways to load the photo again. All drop its corrections. */
function loading({
  dataset,
  number,
  show,
  onSaved,
}: Pick<Context, "dataset" | "number" | "show" | "onSaved">) {
  const key = keyOf(dataset, number);
  const load = async (saved = "") => {
    keepDraft(key, null);
    show(await getPhoto(dataset, number), saved);
  };
  const read = async () => {
    const data = await readAgain(dataset);
    keepDraft(key, null);
    onSaved(data);
    if (data.reading.state !== "reading") await load();
  };
  const reload = async () => {
    const { changed } = await getPhoto(dataset, number);
    await (changed ? read() : load());
  };
  return { load, read, reload };
}

/** Do something that the server may refuse, because labels have changed elsewhere or for another reason. */
async function during(change: Context["change"], work: () => Promise<void>): Promise<void> {
  change({ isBusy: true });
  try {
    await work();
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) change({ conflict: sentenceOf(error) });
    else showError(error);
  } finally {
    change({ isBusy: false });
  }
}
