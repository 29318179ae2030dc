import { useText } from "../../shell/text";
import { Field } from "./form";
import { describeMethod } from "./methods";

interface Props {
  methods: readonly string[];
  value: string;
  onChange: (method: string) => void;
}

/** The choice of one method, with a sentence on it. */
export function MethodField({ methods, value, onChange }: Props) {
  const text = useText();
  return (
    <Field label={text("jobs.method")} help={describeMethod(value, text)}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {methods.map((method) => (
            <option key={method} value={method}>
              {method}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
