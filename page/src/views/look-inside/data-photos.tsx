import { useEffect, useState } from "preact/hooks";
import { addressOf, api, ok, type Schema } from "../../api/client";
import { showError } from "../../shell/notices";
import { linkTo, partsOf } from "../../shell/route";
import { useText } from "../../shell/text";
import type { Offer } from "../table";
import type { Session } from "./session";

const PER_PAGE = 8;
const RETRY_MS = 1000; // while the labels are read

interface Props {
  datasets: Offer["datasets"];
  /** The photo that the address names: "digits/7". May be "". */
  rest: string;
  session: Session;
}

/** Photos of the data sets that the server was started with. Each has an address. */
export function DataPhotos({ datasets, rest, session }: Props) {
  const text = useText();
  const [id, setId] = useState(partsOf(rest)[0] || datasets[0]?.id || "");
  useAddressedPhoto(rest, session.setPhoto);
  return (
    <details class="look-data" open={!session.shown}>
      <summary>{text("look-inside.data")}</summary>
      {datasets.length > 1 && (
        <select
          aria-label={text("look-inside.dataset")}
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
        >
          {datasets.map((each) => (
            <option key={each.id} value={each.id}>
              {each.id}
            </option>
          ))}
        </select>
      )}
      <Thumbnails key={id} id={id} current={rest} />
    </details>
  );
}

function Thumbnails({ id, current }: { id: string; current: string }) {
  const text = useText();
  const [offset, setOffset] = useState(0);
  const page = usePhotos(id, offset);
  if (!page) return null;
  const hasMore = offset + PER_PAGE < page.total;
  const [shownId, shownNumber] = partsOf(current);
  const isCurrent = (number: number) => shownId === id && shownNumber === `${number}`;
  return (
    <div class="row">
      <button type="button" disabled={offset === 0} onClick={() => setOffset(offset - PER_PAGE)}>
        <span aria-hidden="true">←</span>
        <span class="unseen">{text("look-inside.earlier")}</span>
      </button>
      {page.photos.map(({ number, file, thumbnail }) => (
        <a
          key={number}
          href={linkTo("look-inside", `${encodeURIComponent(id)}/${number}`)}
          aria-current={isCurrent(number) ? "true" : undefined}
        >
          <img src={addressOf(thumbnail)} alt={file} />
        </a>
      ))}
      <button type="button" disabled={!hasMore} onClick={() => setOffset(offset + PER_PAGE)}>
        <span aria-hidden="true">→</span>
        <span class="unseen">{text("look-inside.later")}</span>
      </button>
    </div>
  );
}

interface PhotoPage {
  total: number;
  photos: readonly Pick<Schema<"ListedPhoto">, "number" | "file" | "thumbnail">[];
}

/** A page of photos, once the labels are read. */
function usePhotos(name: string, offset: number): PhotoPage | null {
  const [page, setPage] = useState<PhotoPage | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    photosOf(name, offset, stop.signal).then(setPage).catch(showError);
    return () => stop.abort();
  }, [name, offset]);
  return page;
}

async function photosOf(name: string, offset: number, signal: AbortSignal): Promise<PhotoPage> {
  const path = { name };
  const data = await ok(api.GET("/v1/datasets/{name}", { params: { path }, signal }));
  if (data.reading.state === "reading") {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    return photosOf(name, offset, signal);
  }
  const query = { offset, limit: PER_PAGE };
  return ok(api.GET("/v1/datasets/{name}/photos", { params: { path, query }, signal }));
}

/** Choose the photo that the address names. */
function useAddressedPhoto(rest: string, setPhoto: Session["setPhoto"]): void {
  useEffect(() => {
    const [name, number] = partsOf(rest);
    const photo = Number(number);
    if (!name || !number || !Number.isInteger(photo)) return;
    const stop = new AbortController();
    ok(
      api.GET("/v1/datasets/{name}/photos/{photo}/image", {
        params: { path: { name, photo } },
        parseAs: "blob",
        signal: stop.signal,
      }),
    )
      .then((file) => setPhoto({ file: file as unknown as Blob, name: `${name}/${number}` }))
      .catch(showError);
    return () => stop.abort();
  }, [rest, setPhoto]);
}
