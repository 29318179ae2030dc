import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { addressOf } from "../../api/client";
import { memo } from "../../parts/memo";
import { linkTo } from "../../shell/route";
import { useText } from "../../shell/text";
import type { ListedPhoto } from "./api";
import { corner, type Grid, gridOf, inSight, type Range } from "./layout";
import type { PhotoList } from "./photo-list";

interface Props {
  list: PhotoList;
  colors: readonly string[];
}

/** The photos of a list, of which only those in sight are drawn. */
export function PhotoGrid({ list, colors }: Props) {
  const text = useText();
  const holder = useRef<HTMLDivElement>(null);
  const [, redraw] = useState(0);
  useEffect(() => list.subscribe(() => redraw((count) => count + 1)), [list]);
  const count = list.total ?? 0;
  const [width, range, grid] = useSight(holder, count);
  useEffect(() => {
    void list.want(range.from, Math.max(range.to, 1));
  }, [list, range.from, range.to]);

  const indices = Array.from({ length: range.to - range.from }, (_, step) => range.from + step);
  return (
    // biome-ignore lint/a11y/useSemanticElements: only some items of the list exist at a time
    <div class="photo-grid" ref={holder} role="list" aria-label={text("data.photos")}>
      {width > 0 && <div class="grid-height" style={{ height: `${grid.height}px` }} />}
      {indices.map((index) => (
        <Cell
          key={index}
          photo={list.at(index)}
          index={index}
          count={count}
          grid={grid}
          dataset={list.dataset}
          colors={colors}
        />
      ))}
    </div>
  );
}

type Holder = { current: HTMLDivElement | null };

/** The width of the grid, and the cells in sight, which change as the page scrolls. */
function useSight(holder: Holder, count: number): [number, Range, Grid] {
  const [width, setWidth] = useState(0);
  const [range, setRange] = useState<Range>({ from: 0, to: 0 });
  const grid = gridOf(width, count);
  const { columns, row } = grid;
  useLayoutEffect(() => {
    const element = holder.current as HTMLDivElement;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, [holder]);
  useLayoutEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const top = -(holder.current?.getBoundingClientRect().top ?? 0);
      const next = inSight({ columns, row, cell: 0, height: 0 }, count, top, innerHeight);
      setRange((before) => (before.from === next.from && before.to === next.to ? before : next));
    };
    const later = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later);
    const moved = new ResizeObserver(later); // what lies above the grid has opened or closed
    moved.observe(document.body);
    return () => {
      moved.disconnect();
      cancelAnimationFrame(frame);
      removeEventListener("scroll", later);
      removeEventListener("resize", later);
    };
  }, [holder, columns, row, count]);
  return [width, range, grid];
}

interface CellProps {
  photo: ListedPhoto | undefined;
  index: number;
  count: number;
  grid: Grid;
  dataset: string;
  colors: readonly string[];
}

function Cell({ photo, index, count, grid, dataset, colors }: CellProps) {
  const { x, y } = corner(grid, index);
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div
      class="cell"
      role="listitem"
      aria-posinset={index + 1}
      aria-setsize={count}
      style={{ width: `${grid.cell}px`, transform: `translate(${x}px, ${y}px)`, "--cell": `${grid.cell}px` }}
    >
      {photo && <Thumbnail photo={photo} dataset={dataset} colors={colors} />}
    </div>
  );
}

type ThumbnailProps = { photo: ListedPhoto; dataset: string; colors: readonly string[] };

const Thumbnail = memo(({ photo, dataset, colors }: ThumbnailProps) => {
  const text = useText();
  const name = photo.file.split("/").at(-1) ?? photo.file;
  return (
    <a
      href={linkTo("data", `${encodeURIComponent(dataset)}/${photo.number}`)}
      aria-label={text("data.cell", { name, count: photo.objects })}
      title={photo.file}
    >
      <span class="picture">
        <img src={addressOf(photo.thumbnail)} alt="" decoding="async" draggable={false} />
        {photo.width > 0 && (
          <svg viewBox={`0 0 ${photo.width} ${photo.height}`} aria-hidden="true">
            {pathsOf(photo).map(([label, path]) => (
              <g key={label}>
                <path class="halo" d={path} />
                <path class="line" d={path} stroke={colors[label]} />
              </g>
            ))}
          </svg>
        )}
      </span>
      <span class="caption">{name}</span>
    </a>
  );
});

/** One path for all boxes of a class, which is quicker than one for each. */
export function pathsOf(photo: Pick<ListedPhoto, "labels" | "boxes">): [number, string][] {
  const paths = new Map<number, string>();
  photo.boxes.forEach(([x1, y1, x2, y2], index) => {
    const label = photo.labels[index] as number;
    paths.set(label, `${paths.get(label) ?? ""}M${x1} ${y1}H${x2}V${y2}H${x1}Z`);
  });
  return [...paths];
}
