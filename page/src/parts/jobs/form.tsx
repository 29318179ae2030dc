import type { ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { api, ok, type Schema } from "../../api/client";
import { announce, showError } from "../../shell/notices";
import { currentText, type Key, useText } from "../../shell/text";
import type { Offer } from "../../views/table";

/** What all forms ask for. Numbers are text while they are being typed; "" is the default. */
export interface Common {
  data: string;
  minutes: string;
  size: string;
  seed: string;
}

export function useCommon(offer: Offer): [Common, (change: Partial<Common>) => void] {
  const [values, setValues] = useState<Common>({
    data: offer.datasets[0]?.id ?? "",
    minutes: "10",
    size: "",
    seed: "0",
  });
  return [values, (change) => setValues((before) => ({ ...before, ...change }))];
}

/** The fields as the server takes them. */
export function commonOf(values: Common) {
  return {
    data: values.data,
    minutes: Number(values.minutes),
    size: values.size === "" ? null : Number(values.size),
    seed: Number(values.seed),
  };
}

/** What can be chosen for a data set. */
export interface Choices {
  /** For its task; none until the server has told them. */
  methods: readonly string[];
  /** Those that need masks in the labels. */
  needMasks: readonly string[];
  maxMinutes: number | undefined;
}

export function useChoices(offer: Offer, data: string): Choices {
  const [choices, setChoices] = useState<Schema<"Choices"> | null>(null);
  useEffect(() => {
    ok(api.GET("/v1/jobs/choices")).then(setChoices).catch(showError);
  }, []);
  const task = offer.datasets.find((dataset) => dataset.id === data)?.task ?? "detection";
  return {
    methods: choices?.models[task] ?? [],
    needMasks: choices?.needs_masks ?? [],
    maxMinutes: choices?.max_minutes,
  };
}

/** Add a job to the queue; its id, or null if the server refuses, which is shown. */
export async function addJob(request: Schema<"JobRequest">): Promise<string | null> {
  try {
    const job = await ok(api.POST("/v1/jobs", { body: request }));
    announce(currentText()("jobs.added", { name: job.name }));
    return job.id;
  } catch (error) {
    showError(error);
    return null;
  }
}

interface FieldProps {
  label: string;
  /** Below the control. */
  help?: string | undefined;
  children: (id: string) => ComponentChildren;
}

/** A label above a control. */
export function Field({ label, help, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id)}
      {help && <p class="soft">{help}</p>}
    </div>
  );
}

interface NumberFieldProps {
  label: string;
  value: string;
  min: number;
  max: number | undefined;
  step?: number | "any";
  isRequired?: boolean;
  placeholder?: string;
  help?: string;
  onChange: (value: string) => void;
}

export function NumberField(props: NumberFieldProps) {
  const { label, help, value, min, max, step = 1, isRequired = false, placeholder, onChange } = props;
  return (
    <Field label={label} help={help}>
      {(id) => (
        <input
          id={id}
          type="number"
          inputMode="decimal"
          value={value}
          min={min}
          max={max}
          step={step}
          required={isRequired}
          placeholder={placeholder ?? ""}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface CommonFieldsProps {
  offer: Offer;
  values: Common;
  set: (change: Partial<Common>) => void;
  minutesLabel: Key;
  maxMinutes: number | undefined;
  /** Between the data set and the minutes. */
  children: ComponentChildren;
  /** Among the options that are closed at first. */
  more?: ComponentChildren;
}

/** The fields of all forms, around those of one kind. */
export function CommonFields(props: CommonFieldsProps) {
  const { offer, values, set, minutesLabel, maxMinutes, children, more } = props;
  const text = useText();
  return (
    <>
      <Field label={text("jobs.data")}>
        {(id) => (
          <select id={id} value={values.data} onChange={(event) => set({ data: event.currentTarget.value })}>
            {offer.datasets.map((dataset) => (
              <option key={dataset.id} value={dataset.id}>
                {dataset.id}
              </option>
            ))}
          </select>
        )}
      </Field>
      {children}
      <NumberField
        label={text(minutesLabel)}
        value={values.minutes}
        min={0.05}
        max={maxMinutes}
        step="any"
        isRequired
        onChange={(minutes) => set({ minutes })}
      />
      <MoreOptions values={values} set={set}>
        {more}
      </MoreOptions>
    </>
  );
}

function MoreOptions({ values, set, children }: Pick<CommonFieldsProps, "values" | "set" | "children">) {
  const text = useText();
  return (
    <details>
      <summary>{text("jobs.moreOptions")}</summary>
      <div>
        {children}
        <NumberField
          label={text("jobs.size")}
          help={text("jobs.sizeHelp")}
          value={values.size}
          min={32}
          max={16_384}
          placeholder={text("jobs.automatic")}
          onChange={(size) => set({ size })}
        />
        <NumberField
          label={text("jobs.seed")}
          value={values.seed}
          min={0}
          max={2_147_483_647}
          isRequired
          onChange={(seed) => set({ seed })}
        />
      </div>
    </details>
  );
}
