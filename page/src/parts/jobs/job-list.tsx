import { useState } from "preact/hooks";
import { useText } from "../../shell/text";
import { JobRow } from "./job-row";
import { isActive, type Job, type Kind } from "./types";

const FEW = 8;

interface Props {
  kind: Kind;
  jobs: readonly Job[];
  chosen: string;
  refresh: () => void;
}

/** The job that runs, those that wait, and the earlier ones of one kind. */
export function JobLists({ kind, jobs, chosen, refresh }: Props) {
  const text = useText();
  const [showsAll, setShowsAll] = useState(false);
  const now = jobs.filter((job) => isActive(job) || job.state === "waiting");
  const queue = [...now.filter(isActive), ...now.filter((job) => !isActive(job))];
  const earlier = jobs.filter((job) => job.kind === kind && !now.includes(job)).reverse();
  const shown = showsAll ? earlier : earlier.slice(0, FEW);
  return (
    <>
      {queue.length > 0 && (
        <section>
          <h2>{text("jobs.queue")}</h2>
          <Rows jobs={queue} chosen={chosen} refresh={refresh} />
        </section>
      )}
      <section>
        <h2>{text("jobs.earlier")}</h2>
        {earlier.length ? (
          <Rows jobs={shown} chosen={chosen} refresh={refresh} />
        ) : (
          <p class="soft">{text("jobs.none")}</p>
        )}
        {shown.length < earlier.length && (
          <button type="button" onClick={() => setShowsAll(true)}>
            {text("jobs.showAll", { count: earlier.length })}
          </button>
        )}
      </section>
    </>
  );
}

function Rows({ jobs, chosen, refresh }: Omit<Props, "kind">) {
  return (
    <ul class="jobs">
      {jobs.map((job) => (
        <JobRow key={job.id} job={job} isChosen={job.id === chosen} refresh={refresh} />
      ))}
    </ul>
  );
}
