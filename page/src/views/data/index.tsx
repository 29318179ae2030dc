import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ProgressBar } from "../../parts/progress-bar";
import { showError } from "../../shell/notices";
import { go, partsOf } from "../../shell/route";
import { useText } from "../../shell/text";
import type { ViewProps } from "../table";
import { ALL, type DataSet, type Filter } from "./api";
import { Choice } from "./filters";
import { Gallery } from "./gallery";
import { PhotoList } from "./photo-list";
import { PhotoPage, type Place } from "./photo-page";
import { type OpenDataSet, useDataSet } from "./use-dataset";
import "./data.css";

/** The labeled photos of the server's data sets. #/data/ID shows one of them, #/data/ID/7 a photo. */
export default function View({ offer, rest }: ViewProps) {
  const text = useText();
  const [id = "", photo = ""] = partsOf(rest);
  const names = offer.datasets.map((each) => each.id);
  const name = names.includes(id) ? id : (names[0] ?? "");
  if (!name) return null;
  return (
    <section class="view data-view">
      {!photo && <h1>{text("data.title")}</h1>}
      {!photo && names.length > 1 && (
        <div class="filters">
          <Choice
            label={text("data.dataset")}
            value={name}
            options={names.map((each) => [each, each] as const)}
            onChange={(chosen) => go("data", encodeURIComponent(chosen))}
          />
        </div>
      )}
      <DataSetView key={name} name={name} photo={/^\d+$/.test(photo) ? Number(photo) : null} />
    </section>
  );
}

function DataSetView({ name, photo }: { name: string; photo: number | null }) {
  const open = useDataSet(name);
  const { data } = open;
  const [filter, setFilter] = useState<Filter>(ALL);
  const [saves, setSaves] = useState(0);
  const state = data?.reading.state ?? "reading";
  const isReadable = state === "checking" || state === "ready";
  const seen = useRef(0);
  if (photo === null) seen.current = saves; // one steps through the list that one has seen, also after saving
  const list = useMemo(
    () => (isReadable ? new PhotoList(name, filter, showError) : null),
    [name, filter, isReadable, seen.current, filter.finding && state],
  );
  const place = usePlace(list, photo);
  const { refresh } = open;
  useEffect(() => (photo === null ? undefined : refresh), [photo, refresh]); // others may have changed labels
  const onSaved = (found: DataSet | null) => {
    setSaves((count) => count + 1);
    if (found) open.set(found);
    else open.refresh();
  };
  return (
    <>
      <Progress open={open} />
      {data && list && photo === null && (
        <Gallery data={data} list={list} filter={filter} onFilter={setFilter} onReadAgain={open.readAgain} />
      )}
      {data && list && photo !== null && (
        <PhotoPage key={photo} data={data} number={photo} place={place} onSaved={onSaved} />
      )}
    </>
  );
}

/** Where a photo is in a list, and the way to its neighbors. */
function usePlace(list: PhotoList | null, photo: number | null): Place | null {
  const [index, setIndex] = useState<number | null>(null);
  useEffect(() => {
    if (!list || photo === null) return;
    let isCurrent = true;
    void list.placeOf(photo, index).then((found) => isCurrent && setIndex(found));
    return () => {
      isCurrent = false;
    };
  }, [list, photo]);
  if (!list || index === null || photo === null || list.total === null) return null;
  const onGo = async (step: number) => {
    const next = index + step;
    await list.want(Math.max(0, next), next + 1);
    const found = list.at(next);
    if (!found) return;
    setIndex(next);
    go("data", `${encodeURIComponent(list.dataset)}/${found.number}`, true);
  };
  return { index, total: list.total, onGo: (step) => void onGo(step) };
}

function Progress({ open: { data, readAgain } }: { open: OpenDataSet }) {
  const text = useText();
  if (!data) return null;
  const { state, photos_checked: done, photos_to_check: total, error } = data.reading;
  if (state === "reading") return <ProgressBar label={text("data.reading")} value={null} />;
  if (state === "checking") {
    const note = total > 0 ? text("data.checkingNote", { done, total }) : "";
    return <ProgressBar label={text("data.checking")} value={total > 0 ? done / total : null} note={note} />;
  }
  if (state === "ready") return null;
  return (
    <div class="panel" role="alert">
      <p>{text("data.failed")}</p>
      <pre>{error}</pre>
      <button type="button" onClick={readAgain}>
        {text("data.readAgain")}
      </button>
    </div>
  );
}
