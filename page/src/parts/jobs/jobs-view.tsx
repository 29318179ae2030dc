import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { announce } from "../../shell/notices";
import { askForOffer } from "../../shell/offer";
import { go } from "../../shell/route";
import { useText } from "../../shell/text";
import type { Offer } from "../../views/table";
import { JobDetail } from "./job-detail";
import { JobLists } from "./job-list";
import "./jobs.css";
import { type Action, type Detail, isActive, type Job, type Kind } from "./types";
import { useJob, useJobs } from "./use-jobs";

export interface FormProps {
  offer: Offer;
  jobs: readonly Job[];
  /** Called with the id of a new job. */
  onAdded: (id: string) => void;
}

interface Props {
  kind: Kind;
  offer: Offer;
  /** The id of the job in the address; "" without one. */
  rest: string;
  Form: ComponentType<FormProps>;
  /** What only this kind of job shows. */
  Result: ComponentType<{ job: Detail }>;
}

/** A view of one kind of jobs: a form for a new one, the lists, and one job in full. */
export function JobsView({ kind, offer, rest, Form, Result }: Props) {
  const text = useText();
  const { list, refresh } = useJobs();
  const jobs = list?.jobs ?? [];
  const isGone = list !== null && !jobs.some((job) => job.id === rest); // it was removed
  const chosen = rest ? (isGone ? "" : rest) : choose(jobs, kind);
  useAnnouncements(jobs);
  useServedModels(jobs);
  return (
    <section class={`view jobs-view ${kind}-view ${rest && chosen ? "has-chosen" : ""}`}>
      <div class="jobs-side">
        <h1>{text(`${kind}.title`)}</h1>
        <p>{text(`${kind}.purpose`)}</p>
        {list?.problem && <p class="problem">{list.problem}</p>}
        <Form
          offer={offer}
          jobs={jobs}
          onAdded={(id) => {
            refresh();
            go(kind, id);
          }}
        />
        {list && <JobLists kind={kind} jobs={jobs} chosen={chosen} refresh={refresh} />}
      </div>
      <div class="jobs-main">
        {chosen && <Chosen key={chosen} id={chosen} Result={Result} refreshList={refresh} />}
      </div>
    </section>
  );
}

interface ChosenProps {
  id: string;
  Result: ComponentType<{ job: Detail }>;
  refreshList: () => void;
}

function Chosen({ id, Result, refreshList }: ChosenProps) {
  const { job, refresh } = useJob(id);
  if (!job) return null;
  const update = (action: Action) => {
    if (action !== "remove") refresh();
    refreshList();
  };
  const result: ComponentChildren = <Result job={job} />;
  return (
    <JobDetail job={job} refresh={update}>
      {result}
    </JobDetail>
  );
}

/** The job to show without a choice: the one that runs, or the newest of this kind. */
export function choose(jobs: readonly Job[], kind: Kind): string {
  const own = jobs.filter((job) => job.kind === kind);
  const found = own.find(isActive) ?? own.filter((job) => job.state !== "waiting").at(-1) ?? own[0];
  return found?.id ?? "";
}

/** Tell screen readers when a job starts or ends, and each quarter of the way. */
function useAnnouncements(jobs: readonly Job[]) {
  const text = useText();
  const before = useRef(new Map<string, string>());
  useEffect(() => {
    const now = new Map<string, string>();
    for (const job of jobs) {
      const quarter = job.state === "running" ? Math.floor(4 * (job.progress?.share ?? 0)) : 0;
      const mark = `${job.state} ${quarter}`;
      now.set(job.id, mark);
      const last = before.current.get(job.id);
      if (last === undefined || last === mark) continue;
      const state = text(`jobs.states.${job.state}`);
      const share = quarter > 0 ? `, ${text.percent(quarter / 4)}` : "";
      announce(`${job.name}: ${state}${share}`);
    }
    before.current = now;
  }, [jobs, text]);
}

/** Ask what the server offers when it serves further models: the first one opens further views. */
function useServedModels(jobs: readonly Job[]) {
  const served = jobs.flatMap((job) => job.model ?? []).join();
  useEffect(() => {
    if (served) askForOffer();
  }, [served]);
}
