import { useRef } from "preact/hooks";
import { memo } from "./memo";
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

const MAX_NAMES = 60; // as in saved pictures

/** A photo with shapes and pictures over it, which can be zoomed and moved. */
export function PhotoView(props: Props) {
  const { src, width, height, alt, shapes = [], overlays = [], active = null, zoom } = props;
  const group = useRef<SVGGElement>(null);
  const onPlace = ({ scale, left, top }: Placement) =>
    group.current?.setAttribute("transform", `translate(${left} ${top}) scale(${scale})`);
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

type ShapesProps = Pick<Props, "onActive" | "onSelect"> & { shapes: readonly Shape[] };

/** Large shapes first, so that small ones can be reached; names last. */
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
    {shapes.slice(0, MAX_NAMES).map((shape) => shape.name && <Name key={shape.id} shape={shape} />)}
  </>
));

function Emphasis({ shape }: { shape: Shape | undefined }) {
  if (!shape) return null;
  return (
    <g class="shape emphasis" stroke={shape.color} fill={shape.color}>
      <Line shape={shape} class="halo" />
      <Line shape={shape} class="line" />
      {shape.name && <Name shape={shape} />}
    </g>
  );
}

function Line({ shape, class: name }: { shape: Shape; class: string }) {
  if (shape.path) return <path class={name} d={shape.path} />;
  const [x1, y1, x2, y2] = shape.box;
  return <rect class={name} x={x1} y={y1} width={Math.max(0, x2 - x1)} height={Math.max(0, y2 - y1)} />;
}

function Name({ shape }: { shape: Shape }) {
  const [x, y] = shape.box;
  return (
    <g transform={`translate(${x} ${y})`}>
      <text class="name" dy="1em" dx=".25em">
        {shape.name}
      </text>
    </g>
  );
}

type OverlayProps = Overlay & { width: number; height: number };

function OverlayPicture({ picture, opacity, width, height }: OverlayProps) {
  if (typeof picture === "string") {
    return <img class="overlay" src={picture} alt="" style={{ opacity, width, height }} draggable={false} />;
  }
  const put = (holder: HTMLDivElement | null) => holder?.replaceChildren(picture);
  return <div class="overlay" ref={put} style={{ opacity, width, height }} />;
}

function area([x1, y1, x2, y2]: Box): number {
  return (x2 - x1) * (y2 - y1);
}
