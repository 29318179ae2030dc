import { linkTo } from "../../shell/route";
import { useText } from "../../shell/text";
import { act } from "./act";
import { moment, score, subject } from "./format";
import { JobProgress } from "./job-progress";
import { type Action, isActive, type Job } from "./types";

interface Props {
  job: Job;
  isChosen: boolean;
  refresh: () => void;
}

/** A job in a list: what it is, how far it has come, and what can be done with it. */
export function JobRow({ job, isChosen, refresh }: Props) {
  const text = useText();
  return (
    <li class={isChosen ? "job chosen" : "job"}>
      <div class="job-head">
        <a href={linkTo(job.kind, job.id)} aria-current={isChosen ? "true" : undefined}>
          {job.name}
        </a>
        <span class={`state ${job.state}`}>{text(`jobs.states.${job.state}`)}</span>
      </div>
      <p class="soft">{subject(job, text)}</p>
      {isActive(job) ? <JobProgress job={job} /> : <Outcome job={job} />}
      <Actions job={job} only={["up", "remove", "stop", "resume"]} refresh={refresh} />
    </li>
  );
}

/** What a job has come to, or when it will start. */
function Outcome({ job }: { job: Job }) {
  const text = useText();
  if (job.place !== null) return <p>{text("jobs.place", { place: job.place })}</p>;
  const when = job.ended ?? job.started ?? job.created;
  return (
    <p>
      {job.metric !== null && `${job.metric} ${score(job.value, text)} · `}
      <span class="soft">{moment(when, text)}</span>
    </p>
  );
}

interface ActionsProps {
  job: Job;
  only?: readonly Action[];
  /** Called after an action. */
  refresh: (action: Action) => void;
}

/** Buttons for what can be done with a job now. */
export function Actions({ job, only, refresh }: ActionsProps) {
  const text = useText();
  const actions = job.actions.filter((action) => !only || only.includes(action));
  if (!actions.length) return null;
  return (
    <div class="row">
      {actions.map((action) => (
        <button
          key={action}
          type="button"
          aria-label={text("jobs.actionOn", { action: text(`jobs.actions.${action}`), name: job.name })}
          onClick={() => act(job, action).then(() => refresh(action))}
        >
          {text(`jobs.actions.${action}`)}
        </button>
      ))}
    </div>
  );
}
