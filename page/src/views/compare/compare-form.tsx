import { useState } from "preact/hooks";
import { addJob, CommonFields, commonOf, NumberField, useChoices, useCommon } from "../../parts/jobs/form";
import { duration } from "../../parts/jobs/format";
import type { FormProps } from "../../parts/jobs/jobs-view";
import { describeMethod } from "../../parts/jobs/methods";
import { Plan } from "../../parts/jobs/plan";
import { useText } from "../../shell/text";

const SLOW = ["rcnn", "fast-rcnn"]; // not chosen at first, as those that need masks

/** A new comparison. */
export function CompareForm({ offer, jobs, onAdded }: FormProps) {
  const text = useText();
  const [values, set] = useCommon(offer);
  const { methods, needMasks, maxMinutes } = useChoices(offer, values.data);
  const [changed, setExcluded] = useState<readonly string[] | null>(null);
  const excluded = changed ?? [...SLOW, ...needMasks];
  const [folds, setFolds] = useState("");
  const models = methods.filter((method) => !excluded.includes(method));
  const trainings = models.length * (Number(folds) || 1);
  const time = duration(60 * Number(values.minutes) * trainings, text);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const parts = folds === "" ? null : Number(folds);
    const id = await addJob({ kind: "compare", ...commonOf(values), models, seeds: 1, folds: parts });
    if (id !== null) onAdded(id);
  };
  return (
    <form class="panel job-form" aria-label={text("compare.new")} onSubmit={submit}>
      <h2>{text("compare.new")}</h2>
      <CommonFields
        offer={offer}
        values={values}
        set={set}
        minutesLabel="compare.minutes"
        maxMinutes={maxMinutes}
        more={<FoldsField value={folds} onChange={setFolds} />}
      >
        <MethodChecks methods={methods} models={models} onChange={setExcluded} excluded={excluded} />
      </CommonFields>
      <Plan sentence={text("compare.plan", { count: trainings, time })} jobs={jobs} />
      <button type="submit" class="main" disabled={models.length < 1}>
        {text("compare.start")}
      </button>
    </form>
  );
}

interface ChecksProps {
  methods: readonly string[];
  models: readonly string[];
  excluded: readonly string[];
  onChange: (excluded: readonly string[]) => void;
}

function MethodChecks({ methods, models, excluded, onChange }: ChecksProps) {
  const text = useText();
  return (
    <fieldset>
      <legend>{text("jobs.methodsToCompare")}</legend>
      {methods.map((method) => (
        <label key={method} class="check method" title={describeMethod(method, text)}>
          <input
            type="checkbox"
            checked={models.includes(method)}
            onChange={(event) =>
              onChange(
                event.currentTarget.checked
                  ? excluded.filter((name) => name !== method)
                  : [...excluded, method],
              )
            }
          />
          {method}
        </label>
      ))}
    </fieldset>
  );
}

function FoldsField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const text = useText();
  return (
    <NumberField
      label={text("compare.folds")}
      help={text("compare.foldsHelp")}
      value={value}
      min={2}
      max={20}
      placeholder={text("compare.oneSplit")}
      onChange={onChange}
    />
  );
}
