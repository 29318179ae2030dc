import { useEffect, useRef, useState } from "preact/hooks";
import { memo } from "../../parts/memo";
import type { Placement } from "../../parts/zoom";
import { ZoomFrame } from "../../parts/zoom-frame";
import { showError } from "../../shell/notices";
import type { Box, Explanation, Layer, Stage } from "./explanation";
import { Marks } from "./marks";
import { pixels } from "./pixels";
import { cellCanvas, labelCanvas } from "./raster";
import type { Scene } from "./scene";

interface Props {
  explanation: Explanation;
  stage: Stage;
  scene: Scene;
  /** The address of the photo. */
  src: string;
  label: string;
}

/** The photo with what a stage draws over it, which can be zoomed. */
export function StagePicture({ explanation, stage, scene, src, label }: Props) {
  const group = useRef<SVGGElement>(null);
  const { width, height } = explanation;
  const onPlace = ({ scale, left, top }: Placement) =>
    group.current?.setAttribute("transform", `translate(${left} ${top}) scale(${scale})`);
  return (
    <ZoomFrame
      photo={{ width, height }}
      label={label}
      onPlace={onPlace}
      over={
        <svg class="shapes" aria-hidden="true">
          <g ref={group}>
            <Marks marks={scene.marks} />
          </g>
        </svg>
      }
    >
      <img
        src={src}
        width={width}
        height={height}
        alt={label}
        draggable={false}
        class={scene.raster ? "muted" : ""}
      />
      <Raster
        layer={scene.raster}
        area={stage.area}
        lowest={scene.lowest}
        hidden={scene.hidden}
        classNames={explanation.class_names}
      />
    </ZoomFrame>
  );
}

interface RasterProps {
  layer: Layer | undefined;
  area: Box;
  lowest: number | null;
  hidden: ReadonlySet<string>;
  classNames: readonly string[];
}

const Raster = memo(({ area, ...drawn }: RasterProps) => {
  const { layer } = drawn;
  const picture = useRaster(drawn);
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = area;
  const [width, height] = [x2 - x1, y2 - y1];
  if (!picture || !layer) return null;
  const put = (holder: HTMLDivElement | null) => holder?.replaceChildren(picture);
  return (
    <div class="raster" style={pixels({ left: x1, top: y1, width, height })}>
      <div class={layer.kind} ref={put} style={pixels(placeOf(layer, width, height))} />
    </div>
  );
});

/** The place of a raster in its area: a map is larger, since it covers the padding as well. */
export function placeOf(layer: Layer, width: number, height: number) {
  if (layer.kind !== "map") return { left: 0, top: 0, width, height };
  const [rows = 1, columns = 1] = layer.covered;
  const whole = { width: width / columns, height: height / rows };
  const shift = layer.center - 0.5; // in cells: the photo's nearest cell is that with the nearest center
  return {
    left: (shift * whole.width) / layer.cells.width,
    top: (shift * whole.height) / layer.cells.height,
    ...whole,
  };
}

type Drawn = Omit<RasterProps, "area">;

/** The picture of a layer, once it is decoded. */
function useRaster({ layer, lowest, hidden, classNames }: Drawn) {
  const [picture, setPicture] = useState<HTMLElement | null>(null);
  useEffect(() => {
    let isCurrent = true;
    draw({ layer, lowest, hidden, classNames })
      .then((drawn) => isCurrent && setPicture(drawn))
      .catch(showError);
    return () => {
      isCurrent = false;
    };
  }, [layer, lowest, hidden, classNames]);
  return picture;
}

async function draw({ layer, lowest, hidden, classNames }: Drawn): Promise<HTMLElement | null> {
  if (layer?.kind === "map") return cellCanvas(layer.cells, lowest);
  if (layer?.kind === "labels") return labelCanvas(layer, classNames, hidden);
  if (layer?.kind !== "picture") return null;
  const image = new Image();
  image.alt = "";
  image.src = `data:image/jpeg;base64,${layer.jpeg}`;
  await image.decode();
  return image;
}
