import { useId } from "preact/hooks";
import { useText } from "../../shell/text";
import { ALL, type DataSet, type Filter, isFiltered } from "./api";

interface Props {
  data: DataSet;
  filter: Filter;
  onChange: (filter: Filter) => void;
}

const SIZES = ["small", "medium", "large"] as const;

/** Which photos to show. */
export function Filters({ data, filter, onChange }: Props) {
  const text = useText();
  const change = (part: Partial<Filter>) => onChange({ ...filter, ...part });
  return (
    <form class="filters" aria-label={text("data.filter")} onSubmit={(event) => event.preventDefault()}>
      <Choice
        label={text("data.class")}
        value={filter.class_name}
        onChange={(class_name) => change({ class_name })}
        options={[
          ["", text("data.allClasses")],
          ...data.classes.map(({ name, photos }): [string, string] => [
            name,
            text("data.classOption", { name, count: photos }),
          ]),
        ]}
      />
      <SizeChoice
        of="object"
        value={filter.object_size}
        onChange={(object_size) => change({ object_size })}
      />
      <SizeChoice of="photo" value={filter.photo_size} onChange={(photo_size) => change({ photo_size })} />
      <TextField filter={filter} onChange={change} />
      <label class="check">
        <input
          type="checkbox"
          checked={filter.empty}
          onChange={(event) => change({ empty: event.currentTarget.checked })}
        />
        {text("data.empty")}
      </label>
      {isFiltered(filter) && (
        <button type="button" onClick={() => onChange(ALL)}>
          {text("data.clear")}
        </button>
      )}
    </form>
  );
}

function TextField({ filter, onChange }: { filter: Filter; onChange: (part: Partial<Filter>) => void }) {
  const text = useText();
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{text("data.name")}</label>
      <input
        id={id}
        type="search"
        value={filter.text}
        maxLength={1000}
        onInput={(event) => onChange({ text: event.currentTarget.value })}
      />
    </div>
  );
}

type SizeProps = {
  of: "object" | "photo";
  value: Filter["object_size"];
  onChange: (value: Filter["object_size"]) => void;
};

function SizeChoice({ of, value, onChange }: SizeProps) {
  const text = useText();
  const options = SIZES.map((size): [string, string] => [size, text(`data.${of}Sizes.${size}`)]);
  return (
    <Choice
      label={text(`data.${of}Size`)}
      value={value}
      onChange={(chosen) => onChange(chosen as Filter["object_size"])}
      options={[["", text("data.any")], ...options]}
    />
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

/** A menu with its label above. */
export function Choice({ label, value, options, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
