import { useRef, useState } from "preact/hooks";
import type { Placement, Size, ZoomStore } from "../../parts/zoom";
import { ZoomFrame } from "../../parts/zoom-frame";
import { useText } from "../../shell/text";
import { Drawing, type Tool } from "./drawing";
import type { EditObject, Objects, Point } from "./edits";
import { Handles } from "./handles";
import { ObjectShape } from "./object-shape";

interface Props {
  src: string;
  name: string;
  size: Size;
  objects: Objects;
  selected: number | null;
  tool: Tool;
  colorOf: (className: string) => string;
  newClass: string;
  canEdit: boolean;
  zoom: ZoomStore;
  onSelect: (key: number | null) => void;
  /** Called once per drag, at its end. */
  onChange: (object: EditObject) => void;
  onDraw: (shape: Pick<EditObject, "kind" | "box" | "rings">) => void;
}

/** From a place on the screen to a pixel of the photo. */
export type ToPhoto = (event: { clientX: number; clientY: number }) => Point;

/** The photo with its objects, to draw, move and reshape them. */
export function Canvas(props: Props) {
  const { src, name, size, tool, zoom } = props;
  const text = useText();
  const { svg, group, onPlace, toPhoto } = usePixels(size);
  const label = text("data.photoAlt", { name });
  return (
    <ZoomFrame
      photo={size}
      label={label}
      zoom={zoom}
      pan={tool === "select"}
      onPlace={onPlace}
      over={
        <svg class={`shapes editor ${tool}`} ref={svg} aria-hidden="true">
          <g ref={group}>
            <Layers {...props} toPhoto={toPhoto} />
          </g>
        </svg>
      }
    >
      <img src={src} width={size.width} height={size.height} alt={label} draggable={false} />
    </ZoomFrame>
  );
}

/** Keeps what is drawn in pixels of the photo over it, and finds the pixel under the pointer. */
function usePixels(size: Size) {
  const svg = useRef<SVGSVGElement>(null);
  const group = useRef<SVGGElement>(null);
  const placement = useRef<Placement>({ scale: 1, left: 0, top: 0 });
  const onPlace = (next: Placement) => {
    placement.current = next;
    group.current?.setAttribute("transform", `translate(${next.left} ${next.top}) scale(${next.scale})`);
  };
  const toPhoto: ToPhoto = ({ clientX, clientY }) => {
    const edges = (svg.current as SVGSVGElement).getBoundingClientRect();
    const { scale, left, top } = placement.current;
    const [x, y] = [(clientX - edges.left - left) / scale, (clientY - edges.top - top) / scale];
    return [inside(x, size.width), inside(y, size.height)];
  };
  return { svg, group, onPlace, toPhoto };
}

/** The objects, and over them the handles of the selected one, or what is being drawn. */
function Layers(props: Props & { toPhoto: ToPhoto }) {
  const { toPhoto, selected, tool, size } = props;
  const [moved, setMoved] = useState<EditObject | null>(null);
  const objects = props.objects.map((each) => (moved?.key === each.key ? moved : each));
  const chosen = objects.find((each) => each.key === selected);
  const drag = { toPhoto, onMove: setMoved, onEnd: props.onChange, size };
  const color = props.colorOf(props.newClass);
  return (
    <>
      <ShapeLayer {...props} objects={objects} drag={drag} />
      {chosen && props.canEdit && tool === "select" && <Handles object={chosen} {...drag} />}
      {tool !== "select" && (
        <Drawing tool={tool} size={size} color={color} toPhoto={toPhoto} onDraw={props.onDraw} />
      )}
    </>
  );
}

export interface Drag {
  toPhoto: ToPhoto;
  size: Size;
  onMove: (object: EditObject | null) => void;
  onEnd: (object: EditObject) => void;
}

function ShapeLayer({ objects, drag, selected, canEdit, colorOf, onSelect }: Props & { drag: Drag }) {
  return (
    <>
      {[...objects]
        .sort((a, b) => areaOf(b) - areaOf(a))
        .map((object) => (
          <ObjectShape
            key={object.key}
            object={object}
            color={colorOf(object.className)}
            isSelected={object.key === selected}
            canMove={canEdit}
            drag={drag}
            onSelect={() => onSelect(object.key)}
          />
        ))}
    </>
  );
}

/** A coordinate inside of the photo, in hundredths of a pixel. */
function inside(value: number, end: number): number {
  return Math.min(end, Math.max(0, Math.round(value * 100) / 100));
}

function areaOf({ box }: EditObject): number {
  return box ? (box[2] - box[0]) * (box[3] - box[1]) : 0;
}
