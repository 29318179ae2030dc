import { useEffect, useMemo, useState } from "preact/hooks";
import { linkTo } from "../../shell/route";
import { useStore } from "../../shell/store";
import { useText } from "../../shell/text";
import { type DataSet, type Filter, isFiltered } from "./api";
import { drafts, unsavedPhotos } from "./drafts";
import { Filters } from "./filters";
import { Findings } from "./findings";
import { PhotoGrid } from "./grid";
import { HandOver } from "./hand-over";
import { obstacleText } from "./obstacle";
import type { PhotoList } from "./photo-list";

interface Props {
  data: DataSet;
  list: PhotoList;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  onReadAgain: () => void;
}

/** All photos of a data set that pass a filter, and what was found about them. */
export function Gallery({ data, list, filter, onFilter, onReadAgain }: Props) {
  const text = useText();
  const colors = useMemo(() => data.classes.map(({ color }) => color), [data]);
  const facts = {
    format: data.format,
    photos: text("data.found", { count: data.photos }),
    objects: text("predict.found", { count: data.objects }),
    classes: text("data.classCount", { count: data.classes.length }),
  };
  return (
    <>
      <p class="soft">{text("data.facts", facts)}</p>
      {data.changed && <Changed onReadAgain={onReadAgain} />}
      <Unsaved dataset={data.id} />
      {data.correcting.code !== "" && <p class="panel">{obstacleText(data.correcting, data.path, text)}</p>}
      <Filters data={data} filter={filter} onChange={onFilter} />
      <div class="gallery">
        <div class="found">
          <Count list={list} filter={filter} />
          <PhotoGrid list={list} colors={colors} />
        </div>
        <aside>
          <Findings
            data={data}
            chosen={filter.finding}
            onChoose={(finding) => onFilter({ ...filter, finding })}
          />
          <HandOver path={data.path} />
        </aside>
      </div>
    </>
  );
}

/** How many photos there are, also for screen readers. */
function Count({ list, filter }: { list: PhotoList; filter: Filter }) {
  const text = useText();
  const [, redraw] = useState(0);
  useEffect(() => list.subscribe(() => redraw((count) => count + 1)), [list]);
  if (list.total === null) return <p role="status">…</p>;
  const isNone = list.total === 0 && isFiltered(filter);
  return <p role="status">{isNone ? text("data.nothing") : text("data.found", { count: list.total })}</p>;
}

function Changed({ onReadAgain }: { onReadAgain: () => void }) {
  const text = useText();
  return (
    <div class="panel row" role="alert">
      <span>{text("data.changed")}</span>
      <button type="button" onClick={onReadAgain}>
        {text("data.readAgain")}
      </button>
    </div>
  );
}

function Unsaved({ dataset }: { dataset: string }) {
  const text = useText();
  const photos = unsavedPhotos(useStore(drafts), dataset);
  if (photos.length === 0) return null;
  return (
    <p class="panel dirty">
      <a href={linkTo("data", `${encodeURIComponent(dataset)}/${photos[0]}`)}>
        {text("data.unsaved", { count: photos.length })}
      </a>
    </p>
  );
}
