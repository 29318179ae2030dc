import { useState } from "preact/hooks";
import { addJob, CommonFields, commonOf, Field, useChoices, useCommon } from "../../parts/jobs/form";
import type { FormProps } from "../../parts/jobs/jobs-view";
import { MethodField } from "../../parts/jobs/method-field";
import { firstMethod } from "../../parts/jobs/methods";
import { Plan } from "../../parts/jobs/plan";
import type { Job } from "../../parts/jobs/types";
import { useText } from "../../shell/text";

/** A new training. */
export function TrainForm({ offer, jobs, onAdded }: FormProps) {
  const text = useText();
  const [values, set] = useCommon(offer);
  const { methods, maxMinutes } = useChoices(offer, values.data);
  const [chosen, setChosen] = useState("");
  const [init, setInit] = useState("");
  const model = methods.includes(chosen) ? chosen : firstMethod(methods);
  const sentence = text("train.plan", { model, data: values.data, count: Number(values.minutes) });
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const id = await addJob({ kind: "train", ...commonOf(values), model, init: init || null });
    if (id !== null) onAdded(id);
  };
  return (
    <form class="panel job-form" aria-label={text("train.new")} onSubmit={submit}>
      <h2>{text("train.new")}</h2>
      <CommonFields
        offer={offer}
        values={values}
        set={set}
        minutesLabel="train.minutes"
        maxMinutes={maxMinutes}
        more={<InitField jobs={jobs} value={init} onChange={setInit} />}
      >
        <MethodField methods={methods} value={model} onChange={setChosen} />
      </CommonFields>
      <Plan sentence={sentence} jobs={jobs} />
      <button type="submit" class="main" disabled={!model}>
        {text("train.start")}
      </button>
    </form>
  );
}

interface InitProps {
  jobs: readonly Job[];
  value: string;
  onChange: (id: string) => void;
}

/** The choice of a training whose weights to start from. */
function InitField({ jobs, value, onChange }: InitProps) {
  const text = useText();
  const trained = jobs.filter((job) => job.actions.includes("use"));
  return (
    <Field label={text("train.init")} help={text("train.initHelp")}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">{text("train.imagenet")}</option>
          {trained.map((job) => (
            <option key={job.id} value={job.id}>
              {job.name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
