import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "../../shell/settings";
import { useStore } from "../../shell/store";
import { useText } from "../../shell/text";
import "./chart.css";
import { type ChartData, type Curve, colorOf, optionsOf } from "./options";

interface Props extends ChartData {
  title: string;
  /** How the legend writes a value. */
  write: (value: number) => string;
  height?: number;
}

/** A line chart with a legend that tells the values under the pointer, or the last ones. */
export function Chart(props: Props) {
  const { title, curves, x, write } = props;
  const [index, setIndex] = useState<number | null>(null);
  const place = useRef<HTMLDivElement>(null);
  usePlot(place, props, setIndex);
  const shown = index ?? x.length - 1;
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={`${title}: ${summaryOf(curves, x.length - 1, write)}`} />
      <ul class="legend" aria-hidden="true">
        {curves.map((curve, number) =>
          curve.kind === "edge" ? null : (
            <li key={curve.name}>
              <span class="swatch" style={{ background: `var(${colorOf(number)})` }} />
              {curve.name} <span class="value">{valueAt(curve, shown, write)}</span>
            </li>
          ),
        )}
      </ul>
    </figure>
  );
}

/** Keep a plot in an element: drawn again with new curves or colors, resized with the element. */
function usePlot(
  place: { current: HTMLDivElement | null },
  { curves, x, xLabel, top, height = 200 }: Props,
  tell: (index: number | null) => void,
) {
  const plot = useRef<uPlot | null>(null);
  const look = useLook();
  const shape = JSON.stringify([curves.map((curve) => [curve.name, curve.kind]), xLabel, top, height, look]);
  const data: uPlot.AlignedData = [[...x], ...curves.map((curve) => [...curve.values])];
  const latest = useRef({ data, curves, x });
  latest.current = { data, curves, x };
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const chart = { ...latest.current, xLabel, ...(top === undefined ? {} : { top }) };
    const options = optionsOf(chart, { width: Math.max(200, element.clientWidth), height });
    const hooks = { setCursor: [(self: uPlot) => tell(self.cursor.idx ?? null)] };
    const made = new uPlot({ ...options, hooks }, latest.current.data, element);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: Math.max(200, element.clientWidth), height }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [x, curves]);
}

/** Changes with the colors of the page. */
function useLook(): string {
  const chosen = useStore(theme);
  const [isDark, setDark] = useState(matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const update = () => setDark(query.matches);
    query.addEventListener("change", update);
    return () => query.removeEventListener("change", update);
  }, []);
  return `${chosen} ${isDark}`;
}

function valueAt(curve: Curve, index: number, write: (value: number) => string): string {
  for (let at = Math.min(index, curve.values.length - 1); at >= 0; at -= 1) {
    const value = curve.values[at];
    if (value != null) return write(value);
  }
  return "";
}

function summaryOf(curves: readonly Curve[], last: number, write: (value: number) => string): string {
  return curves
    .filter((curve) => curve.kind !== "edge")
    .map((curve) => `${curve.name} ${valueAt(curve, last, write)}`)
    .join(", ");
}

/** The language-aware writer of numbers with three digits. */
export function useWriter(): (value: number) => string {
  const text = useText();
  return (value) => text.number(value, { maximumSignificantDigits: 3 });
}
