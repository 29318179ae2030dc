import { useRef } from "preact/hooks";
import { Swatch } from "../../parts/filters";
import type { Shape } from "../../parts/photo-view";
import { useText } from "../../shell/text";
import type { DrawnObject } from "./objects";

interface Props {
  /** The name of the list, for screen readers. */
  label: string;
  objects: readonly DrawnObject[];
  active: number | string | null;
  onActive: (id: number | string | null) => void;
  /** Called when an object is pressed. */
  onSelect: (shape: Shape) => void;
}

/** The objects of a photo. Each is emphasized while the mouse or the focus is on it, and shown large when pressed. */
export function ObjectList({ label, objects, active, onActive, onSelect }: Props) {
  const list = useRef<HTMLUListElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const targets: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: buttons.length - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, target))]?.focus();
  };
  const reached = objects.some(({ shape }) => shape.id === active) ? active : objects[0]?.shape.id;
  return (
    <ul ref={list} class="objects" aria-label={label} onKeyDown={onKeyDown}>
      {objects.map((object) => (
        <ObjectRow
          key={object.shape.id}
          object={object}
          isActive={object.shape.id === active}
          isReached={object.shape.id === reached}
          onActive={onActive}
          onSelect={onSelect}
        />
      ))}
    </ul>
  );
}

interface RowProps {
  object: DrawnObject;
  isActive: boolean;
  /** Whether the tab key stops here: at one row of the list. */
  isReached: boolean;
  onActive: Props["onActive"];
  onSelect: Props["onSelect"];
}

function ObjectRow({ object: { found, shape }, isActive, isReached, onActive, onSelect }: RowProps) {
  const text = useText();
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = found.box;
  const size = `${text.number(Math.round(x2 - x1))} × ${text.number(Math.round(y2 - y1))}`;
  return (
    <li>
      <button
        type="button"
        class={isActive ? "plain active" : "plain"}
        tabIndex={isReached ? 0 : -1}
        onFocus={() => onActive(shape.id)}
        onBlur={() => onActive(null)}
        onPointerEnter={() => onActive(shape.id)}
        onPointerLeave={() => onActive(null)}
        onClick={() => onSelect(shape)}
      >
        <Swatch color={shape.color} />
        <span class="class-name">{found.class}</span>
        <span class="soft">{size}</span>
        <span class="score">{text.percent(found.score)}</span>
      </button>
    </li>
  );
}
