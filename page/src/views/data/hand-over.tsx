import { useText } from "../../shell/text";

const TOOLS = [
  ["labelme", "data.handOverLabelme"],
  ["label-studio", "data.handOverLabelStudio"],
  ["cvat", "data.handOverCvat"],
] as const;

/** How to go on with a labeling tool. */
export function HandOver({ path }: { path: string }) {
  const text = useText();
  return (
    <details class="panel hand-over">
      <summary>{text("data.handOver")}</summary>
      <p>{text("data.handOverText")}</p>
      <ul>
        {TOOLS.map(([format, help]) => (
          <li key={format}>
            <p>
              <code>
                boxmask convert {path} --to {format} --out {format}-labels
              </code>
            </p>
            <p>{text(help)}</p>
          </li>
        ))}
      </ul>
    </details>
  );
}
