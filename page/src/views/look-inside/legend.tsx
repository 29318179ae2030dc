import { mapColors } from "../../parts/colors";
import { useText } from "../../shell/text";
import type { LabelLayer, MapLayer } from "./explanation";
import { heat } from "./heat";
import { chosenLayer, type View } from "./scene";

const STEPS = 16; // of the bar

/** What the colors of a stage mean. */
export function Legend({ view }: { view: View }) {
  const layer = chosenLayer(view);
  if (layer?.kind === "map") return <HeatLegend layer={layer} />;
  if (layer?.kind === "labels") return <ClassLegend layer={layer} names={view.explanation.class_names} />;
  return null;
}

function HeatLegend({ layer: { cells } }: { layer: MapLayer }) {
  const text = useText();
  const stops = Array.from({ length: STEPS + 1 }, (_, step) => `rgb(${heat(step / STEPS).join(" ")})`);
  const digits = { maximumSignificantDigits: 2 };
  return (
    <p class="look-scale">
      <span>{text.number(cells.low, digits)}</span>
      <span class="look-gradient" style={{ background: `linear-gradient(to right, ${stops.join(", ")})` }} />
      <span>{text.number(cells.high, digits)}</span>
    </p>
  );
}

/** The classes of a label map, with their shares of the photo if they are known. */
function ClassLegend({ layer, names }: { layer: LabelLayer; names: readonly string[] }) {
  const text = useText();
  const colors = mapColors(names);
  const shown = names.filter((name) => !layer.shares || name in layer.shares);
  return (
    <ul class="look-classes">
      {shown.map((name) => (
        <li key={name}>
          <span class="look-dot" style={{ background: colors[names.indexOf(name)] }} />
          {name} {layer.shares && <span class="soft">{text.percent(layer.shares[name] ?? 0, 1)}</span>}
        </li>
      ))}
    </ul>
  );
}
