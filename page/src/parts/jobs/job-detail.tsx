import type { ComponentChildren } from "preact";
import { addressOf } from "../../api/client";
import { linkTo } from "../../shell/route";
import { useText } from "../../shell/text";
import { score, subject } from "./format";
import { JobProgress } from "./job-progress";
import { Actions } from "./job-row";
import { type Action, type Detail, isActive } from "./types";

interface Props {
  job: Detail;
  refresh: (action: Action) => void;
  children: ComponentChildren;
}

/** Everything about one job. What only its kind has comes between the head and the messages. */
export function JobDetail({ job, refresh, children }: Props) {
  const text = useText();
  return (
    <article class="panel job-detail" aria-labelledby="job-name">
      <a class="back" href={linkTo(job.kind)}>
        {text("jobs.back")}
      </a>
      <div class="job-head">
        <h2 id="job-name">{job.name}</h2>
        <span class={`state ${job.state}`}>{text(`jobs.states.${job.state}`)}</span>
      </div>
      <p class="soft">
        {subject(job, text)}
        {job.minutes > 0 && ` · ${text(`${job.kind}.length`, { count: job.minutes })}`}
      </p>
      {job.metric !== null && (
        <p>
          <strong>
            {job.metric} {score(job.value, text)}
          </strong>{" "}
          <span class="soft">{text("jobs.onValidation")}</span>
        </p>
      )}
      <Reason job={job} />
      {isActive(job) && <JobProgress job={job} />}
      <div class="row">
        {job.has_report && (
          <a class="button" href={addressOf(`v1/jobs/${job.id}/report`)} target="_blank" rel="noopener">
            {text("jobs.report")}
          </a>
        )}
        <Actions job={job} refresh={refresh} />
      </div>
      {children}
      <Messages job={job} />
    </article>
  );
}

function Reason({ job }: { job: Detail }) {
  const text = useText();
  if (!job.reason) return null;
  const heading = text(job.state === "failed" ? "jobs.failedBecause" : "jobs.note");
  return (
    <div class={job.state === "failed" ? "reason failed" : "reason"}>
      <strong>{heading}</strong>
      <p>{job.reason}</p>
    </div>
  );
}

/** What the process has printed, and the command. Open where something failed. */
function Messages({ job }: { job: Detail }) {
  const text = useText();
  return (
    <details open={job.state === "failed"}>
      <summary>{text("jobs.messages")}</summary>
      {job.messages.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys must reach what scrolls
        <pre tabIndex={0}>{job.messages.join("\n")}</pre>
      )}
      <p class="soft">{text("jobs.command")}</p>
      <p>
        <code>{job.command}</code>
      </p>
    </details>
  );
}
