import { useMemo } from "preact/hooks";
import { distinctColor } from "../../parts/colors";
import { useText } from "../../shell/text";
import type { Box, Cells, Detail, Explanation } from "./explanation";
import { pixels } from "./pixels";
import { cellCanvas } from "./raster";
import { GRAY, type View } from "./scene";
import "./gallery.css";

const SIDE = 112; // of the small pictures, in pixels of the screen

interface Props {
  view: View;
  details: readonly Detail[];
  src: string;
}

/** Parts of the photo, each with what the model makes of it. */
export function Gallery({ view, details, src }: Props) {
  const text = useText();
  const { explanation, knobs } = view;
  return (
    <section class="look-gallery" aria-label={text("look-inside.details")}>
      <ol>
        {details.map((detail, index) => (
          <li
            key={`${index} ${detail.box}`}
            class={knobs.object === null || detail.objects.includes(knobs.object) ? "" : "dim"}
            style={{ borderColor: colorOf(detail) }}
          >
            <span class="look-number">{index + 1}</span>
            <Crop box={detail.box} explanation={explanation} src={src} />
            {detail.jpeg && <img class="look-square" src={`data:image/jpeg;base64,${detail.jpeg}`} alt="" />}
            {detail.cells && <CellPicture cells={detail.cells} box={detail.box} />}
            {detail.bars && <Bars bars={detail.bars} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

function colorOf({ objects }: Detail): string {
  return objects[0] === undefined ? GRAY : distinctColor(objects[0]);
}

interface CropProps {
  box: Box;
  explanation: Explanation;
  src: string;
}

/** The part of the photo inside a box. */
function Crop({ box, explanation, src }: CropProps) {
  const { width, height } = explanation;
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box;
  const scale = SIDE / Math.max(1, x2 - x1, y2 - y1);
  return (
    <div class="look-square">
      <div class="look-crop" style={pixels({ width: (x2 - x1) * scale, height: (y2 - y1) * scale })}>
        <img
          src={src}
          alt=""
          style={pixels({
            width: width * scale,
            height: height * scale,
            left: -x1 * scale,
            top: -y1 * scale,
          })}
        />
      </div>
    </div>
  );
}

/** A small map in the proportions of its box. */
function CellPicture({ cells, box }: { cells: Cells; box: Box }) {
  const canvas = useMemo(() => cellCanvas(cells, null, true), [cells]);
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box;
  const scale = SIDE / Math.max(1, x2 - x1, y2 - y1);
  const put = (holder: HTMLDivElement | null) => holder?.replaceChildren(canvas);
  return (
    <div class="look-square">
      <div
        class="look-cells"
        ref={put}
        style={pixels({ width: (x2 - x1) * scale, height: (y2 - y1) * scale })}
      />
    </div>
  );
}

/** A bar per class. Values may be negative. */
function Bars({ bars }: { bars: Readonly<Record<string, number>> }) {
  const rows = Object.entries(bars);
  const values = rows.map(([, value]) => value);
  const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
  const place = (value: number) => (100 * (value - low)) / (high - low);
  return (
    <table class="look-bars">
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <span
                class="look-bar"
                style={{
                  left: `${place(Math.min(0, value))}%`,
                  width: `${Math.abs(place(value) - place(0))}%`,
                }}
              />
            </td>
            <td>{value.toFixed(2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
