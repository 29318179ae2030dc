import { useLayoutEffect, useRef } from "preact/hooks";
import { memo } from "./memo";
import { layOutNames } from "./names";
import type { Placement, ZoomStore } from "./zoom";
import { ZoomFrame } from "./zoom-frame";

export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** What is drawn over a photo, in its pixels. */
export interface Shape {
  id: number | string;
  /** Also the place of the name. */
  box: Box;
  /** The outline as the data of an SVG path (`outlinePath`, `polygonPath`). Without it, the box is drawn. */
  path?: string | undefined;
  color: string;
  /** Shown at the upper left corner: a class, and maybe a score. */
  name?: string | undefined;
  isDashed?: boolean;
}

/** A picture over the whole photo: a label map, a heat map. */
export interface Overlay {
  /** An address, or a canvas of any size. */
  picture: string | HTMLCanvasElement;
  /** 0 to 1. */
  opacity: number;
}

interface Props {
  /** The address of the photo. */
  src: string;
  width: number;
  height: number;
  /** What the photo shows, for screen readers. */
  alt: string;
  /** Draw them with `useMemo`: they are drawn again when this is another list. */
  shapes?: readonly Shape[];
  overlays?: readonly Overlay[];
  /** The shape to emphasize. */
  active?: Shape["id"] | null;
  /** Called when the mouse comes over a shape, and with null when it leaves it. */
  onActive?: ((id: Shape["id"] | null) => void) | undefined;
  onSelect?: ((id: Shape["id"]) => void) | undefined;
  zoom?: ZoomStore | undefined;
}

const NOTHING: readonly Shape[] = [];

/** A photo with shapes and pictures over it, which can be zoomed and moved. */
export function PhotoView(props: Props) {
  const { src, width, height, alt, shapes = NOTHING, overlays = [], active = null, zoom } = props;
  const { group, onPlace } = useNames(shapes, active, width);
  return (
    <ZoomFrame
      photo={{ width, height }}
      label={alt}
      zoom={zoom}
      onPlace={onPlace}
      over={
        <svg class="shapes" aria-hidden="true">
          <g ref={group}>
            <Shapes shapes={shapes} onActive={props.onActive} onSelect={props.onSelect} />
            <Emphasis shape={shapes.find((shape) => shape.id === active)} />
            <Names shapes={shapes} />
          </g>
        </svg>
      }
    >
      <img src={src} width={width} height={height} alt={alt} draggable={false} />
      {overlays.map((overlay, index) => (
        <OverlayPicture key={index} {...overlay} width={width} height={height} />
      ))}
    </ZoomFrame>
  );
}

/** Move the shapes with the photo, and keep their names apart. */
function useNames(shapes: readonly Shape[], active: Shape["id"] | null, width: number) {
  const group = useRef<SVGGElement>(null);
  const last = useRef<Placement | null>(null);
  const named = shapes.filter((shape): shape is Named => Boolean(shape.name));
  const onPlace = (placement: Placement) => {
    const { scale, left, top } = placement;
    last.current = placement;
    const drawn = group.current;
    const { clientWidth: viewWidth = 0, clientHeight: viewHeight = 0 } = drawn?.ownerSVGElement ?? {};
    drawn?.setAttribute("transform", `translate(${left} ${top}) scale(${scale})`);
    const elements = [...(drawn?.querySelectorAll<SVGElement>(":scope > .tag") ?? [])];
    const tags = named.map((shape, index) => ({ shape, element: elements[index] as SVGElement }));
    for (const { shape, element } of tags) element.classList.toggle("active", shape.id === active);
    tags.sort((a, b) => Number(b.shape.id === active) - Number(a.shape.id === active)); // it is always shown
    layOutNames(tags, placement, { width: Math.min(viewWidth, left + width * scale), height: viewHeight });
  };
  useLayoutEffect(() => {
    if (last.current) onPlace(last.current);
  }, [shapes, active]);
  return { group, onPlace };
}

type Named = Shape & { name: string };
type ShapesProps = Pick<Props, "onActive" | "onSelect"> & { shapes: readonly Shape[] };

/** Large shapes first, so that small ones can be reached. */
const Shapes = memo(({ shapes, onActive, onSelect }: ShapesProps) => (
  <>
    {[...shapes]
      .sort((a, b) => area(b.box) - area(a.box))
      .map((shape) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: the list of objects does the same for keys
        <g
          key={shape.id}
          class={shape.isDashed ? "shape dashed" : "shape"}
          stroke={shape.color}
          fill={shape.color}
          onPointerEnter={() => onActive?.(shape.id)}
          onPointerLeave={() => onActive?.(null)}
          onClick={() => onSelect?.(shape.id)}
        >
          <Line shape={shape} class="halo" />
          <Line shape={shape} class="line" />
        </g>
      ))}
  </>
));

function Emphasis({ shape }: { shape: Shape | undefined }) {
  if (!shape) return null;
  return (
    <g class="shape emphasis" stroke={shape.color} fill={shape.color}>
      <Line shape={shape} class="halo" />
      <Line shape={shape} class="line" />
    </g>
  );
}

function Line({ shape, class: name }: { shape: Shape; class: string }) {
  if (shape.path) return <path class={name} d={shape.path} />;
  const [x1, y1, x2, y2] = shape.box;
  return <rect class={name} x={x1} y={y1} width={Math.max(0, x2 - x1)} height={Math.max(0, y2 - y1)} />;
}

const Names = memo(({ shapes }: { shapes: readonly Shape[] }) => (
  <>
    {shapes.map(
      ({ id, name }) =>
        name && (
          <g key={id} class="tag">
            <text class="name" dy=".95em" dx=".2em">
              {name}
            </text>
          </g>
        ),
    )}
  </>
));

type OverlayProps = Overlay & { width: number; height: number };

function OverlayPicture({ picture, opacity, width, height }: OverlayProps) {
  if (typeof picture === "string") {
    return (
      <img
        class="overlay"
        src={picture}
        alt=""
        style={{ opacity, width: `${width}px`, height: `${height}px` }}
        draggable={false}
      />
    );
  }
  const put = (holder: HTMLDivElement | null) => holder?.replaceChildren(picture);
  return <div class="overlay" ref={put} style={{ opacity, width: `${width}px`, height: `${height}px` }} />;
}

function area([x1, y1, x2, y2]: Box): number {
  return (x2 - x1) * (y2 - y1);
}
