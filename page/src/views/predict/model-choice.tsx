import { useId } from "preact/hooks";
import { useText } from "../../shell/text";
import type { Model } from "./predictions";

interface Props {
  models: readonly Model[];
  first: Model;
  second: Model | undefined;
  onFirst: (model: Model) => void;
  onSecond: (model: Model | undefined) => void;
}

/** Chooses the model, and another one beside it. */
export function ModelChoice({ models, first, second, onFirst, onSecond }: Props) {
  const text = useText();
  const find = (name: string) => models.find((model) => model.name === name);
  return (
    <div class="model-choice">
      <ModelSelect
        label={text("predict.model")}
        models={models}
        value={first.name}
        onChange={(name) => onFirst(find(name) ?? first)}
      />
      {models.length > 1 && (
        <ModelSelect
          label={text("predict.beside")}
          models={models.filter((model) => model !== first)}
          value={second?.name ?? ""}
          none={text("predict.noSecond")}
          onChange={(name) => onSecond(find(name))}
        />
      )}
    </div>
  );
}

interface SelectProps {
  label: string;
  models: readonly Model[];
  value: string;
  none?: string;
  onChange: (name: string) => void;
}

function ModelSelect({ label, models, value, none, onChange }: SelectProps) {
  const id = useId();
  return (
    <div>
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {models.map((model) => (
          <option key={model.name} value={model.name}>
            {model.name} ({model.method})
          </option>
        ))}
      </select>
    </div>
  );
}
