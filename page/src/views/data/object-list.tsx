import { useText } from "../../shell/text";
import type { Objects } from "./edits";

interface Props {
  objects: Objects;
  selected: number | null;
  colorOf: (className: string) => string;
  onSelect: (key: number | null) => void;
}

/** The objects of a photo. Choosing one selects it on the photo. */
export function ObjectList({ objects, selected, colorOf, onSelect }: Props) {
  const text = useText();
  return (
    <section class="objects" aria-label={text("data.objects")}>
      <h2>{text("data.objects")}</h2>
      {objects.length === 0 && <p class="soft">{text("data.noObjects")}</p>}
      <ol>
        {objects.map((object, index) => (
          <li key={object.key}>
            <button
              type="button"
              class="plain"
              aria-pressed={object.key === selected}
              onClick={() => onSelect(object.key === selected ? null : object.key)}
            >
              <span class="swatch" style={{ background: colorOf(object.className) }} />
              {text("data.objectNumber", { number: index + 1, name: object.className })}
              {object.kind === "outline" && <span class="soft"> {text("data.outline")}</span>}
            </button>
          </li>
        ))}
      </ol>
      {objects.some((object) => object.kind === "outline") && <p class="soft">{text("data.outlineHint")}</p>}
    </section>
  );
}
