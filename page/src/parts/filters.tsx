import { useId } from "preact/hooks";
import { useText } from "../shell/text";
import "./parts.css";

interface ScoreProps {
  value: number;
  onChange: (value: number) => void;
}

/** Chooses the minimum score of what is shown. */
export function ScoreFilter({ value, onChange }: ScoreProps) {
  const text = useText();
  const id = useId();
  const shown = text.number(value, { minimumFractionDigits: 2 });
  return (
    <div class="score-filter">
      <label for={id}>{text("parts.minScore")}</label>
      <input
        id={id}
        type="range"
        min="0.05"
        max="1"
        step="0.01"
        value={value}
        aria-valuetext={shown}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
      <output for={id}>{shown}</output>
    </div>
  );
}

/** A class that can be shown or hidden. */
export interface ClassChoice {
  name: string;
  color: string;
  /** How many objects there are, or their share; shown behind the name. */
  amount?: string;
}

interface ClassProps {
  classes: readonly ClassChoice[];
  hidden: ReadonlySet<string>;
  onChange: (hidden: ReadonlySet<string>) => void;
}

/** Chooses the classes that are shown. */
export function ClassFilter({ classes, hidden, onChange }: ClassProps) {
  const text = useText();
  const toggle = (name: string) => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    onChange(next);
  };
  return (
    <fieldset class="class-filter">
      <legend>{text("parts.classes")}</legend>
      {classes.length > 2 && (
        <div class="row">
          <button type="button" onClick={() => onChange(new Set())}>
            {text("parts.allClasses")}
          </button>
          <button type="button" onClick={() => onChange(new Set(classes.map(({ name }) => name)))}>
            {text("parts.noClasses")}
          </button>
        </div>
      )}
      <div class="class-list">
        {classes.map(({ name, color, amount }) => (
          <label key={name} class="check">
            <input type="checkbox" checked={!hidden.has(name)} onChange={() => toggle(name)} />
            <Swatch color={color} />
            <span class="class-name">{name}</span>
            {amount && <span class="soft">{amount}</span>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A small square in the color of a class. */
export function Swatch({ color }: { color: string }) {
  return <span class="swatch" style={{ background: color }} aria-hidden="true" />;
}
