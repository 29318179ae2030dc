import { useState } from "preact/hooks";
import { addJob, CommonFields, commonOf, Field, useChoices, useCommon } from "../../parts/jobs/form";
import type { FormProps } from "../../parts/jobs/jobs-view";
import { MethodField } from "../../parts/jobs/method-field";
import { firstMethod } from "../../parts/jobs/methods";
import { Plan } from "../../parts/jobs/plan";
import { useText } from "../../shell/text";
import { parseCounts } from "./counts";

/** A new forecast. */
export function ForecastForm({ offer, jobs, onAdded }: FormProps) {
  const text = useText();
  const [values, set] = useCommon(offer);
  const { methods, maxMinutes } = useChoices(offer, values.data);
  const [chosen, setChosen] = useState("");
  const [more, setMore] = useState("");
  const model = methods.includes(chosen) ? chosen : firstMethod(methods);
  const counts = parseCounts(more);
  const sentence = text("forecast.plan", { model, count: Number(values.minutes) });
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (counts === undefined) return;
    const id = await addJob({ kind: "forecast", ...commonOf(values), model, more: counts });
    if (id !== null) onAdded(id);
  };
  return (
    <form class="panel job-form" aria-label={text("forecast.new")} onSubmit={submit}>
      <h2>{text("forecast.new")}</h2>
      <CommonFields
        offer={offer}
        values={values}
        set={set}
        minutesLabel="forecast.minutes"
        maxMinutes={maxMinutes}
      >
        <MethodField methods={methods} value={model} onChange={setChosen} />
        <MoreField value={more} isWrong={counts === undefined} onChange={setMore} />
      </CommonFields>
      <Plan sentence={sentence} jobs={jobs} />
      <button type="submit" class="main" disabled={!model || counts === undefined}>
        {text("forecast.start")}
      </button>
    </form>
  );
}

interface MoreProps {
  value: string;
  isWrong: boolean;
  onChange: (value: string) => void;
}

/** The numbers of further photos. */
function MoreField({ value, isWrong, onChange }: MoreProps) {
  const text = useText();
  return (
    <Field label={text("forecast.more")} help={text(isWrong ? "forecast.moreWrong" : "forecast.moreHelp")}>
      {(id) => (
        <input
          id={id}
          type="text"
          inputMode="numeric"
          value={value}
          aria-invalid={isWrong}
          placeholder={text("jobs.automatic")}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
