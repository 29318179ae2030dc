import { useState } from "preact/hooks";
import { addressOf } from "../../api/client";
import { Chart, useWriter } from "../../parts/chart/chart";
import { score } from "../../parts/jobs/format";
import type { Detail } from "../../parts/jobs/types";
import { useText } from "../../shell/text";
import { lossCurves, metricCurves } from "./curves";
import "./train.css";

/** The curves of a training, and what the model found after each validation. */
export function TrainResult({ job }: { job: Detail }) {
  const text = useText();
  const write = useWriter();
  const curves = job.curves;
  if (!curves?.minutes.length && !curves?.validations.length) {
    return <p class="soft">{text(job.state === "failed" ? "train.noCurves" : "train.noCurvesYet")}</p>;
  }
  const losses = lossCurves(curves, text("train.allLosses"));
  const metrics = metricCurves(curves.validations);
  const xLabel = text("train.trainingMinutes");
  return (
    <>
      <div class="charts">
        <Chart title={text("train.loss")} {...losses} xLabel={xLabel} write={write} />
        {metrics.x.length > 0 && (
          <Chart
            title={text("train.validation")}
            {...metrics}
            xLabel={xLabel}
            top={1}
            write={(value) => score(value, text)}
          />
        )}
      </div>
      <Pictures job={job} />
    </>
  );
}

/** What the model found in a few validation photos, one picture per validation. */
function Pictures({ job }: { job: Detail }) {
  const text = useText();
  const [chosen, setChosen] = useState<number | null>(null);
  const last = job.pictures.length - 1;
  const index = Math.min(chosen ?? last, last);
  const picture = job.pictures[index];
  if (!picture) return null;
  const percent = text.percent(picture.percent / 100);
  const title = picture.percent ? text("train.found", { percent }) : text("train.foundBefore");
  const move = (step: number) => setChosen(Math.max(0, Math.min(last, index + step)));
  return (
    <section class="found">
      <div class="job-head">
        <h3 aria-live="polite">{title}</h3>
        {last > 0 && (
          <div class="row">
            <button type="button" disabled={index === 0} onClick={() => move(-1)}>
              {text("train.before")}
            </button>
            <button type="button" disabled={index === last} onClick={() => move(1)}>
              {text("train.after")}
            </button>
          </div>
        )}
      </div>
      <img src={addressOf(`v1/jobs/${job.id}/pictures/${picture.name}`)} alt={text("train.foundAlt")} />
    </section>
  );
}
