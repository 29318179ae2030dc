import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, ok, type Schema } from "../../api/client";
import { showError } from "../../shell/notices";
import { type Detail, isActive } from "./types";

const BUSY_MS = 2000;
const IDLE_MS = 8000;

type JobList = Schema<"JobListReply">;

/** What the server tells about all jobs, asked again and again while the page is visible. */
export function useJobs(): { list: JobList | null; refresh: () => void } {
  const [list, refresh] = usePolled<JobList>(
    "jobs",
    () => ok(api.GET("/v1/jobs")),
    (reply) => reply.jobs.some((job) => isActive(job) || job.state === "waiting"),
  );
  return { list, refresh };
}

/** What the server tells about one job. */
export function useJob(id: string): { job: Detail | null; refresh: () => void } {
  const [job, refresh] = usePolled<Detail>(
    id,
    () => ok(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } } })),
    (reply) => isActive(reply) || reply.state === "waiting",
  );
  return { job, refresh };
}

/** Ask at once, and then every two seconds, or less often while nothing happens. key: what is asked for */
function usePolled<T>(
  key: string,
  ask: () => Promise<T>,
  isBusy: (reply: T) => boolean,
): [T | null, () => void] {
  const [reply, setReply] = useState<{ key: string; value: T } | null>(null);
  const latest = useRef({ ask, isBusy });
  latest.current = { ask, isBusy };
  const [turn, setTurn] = useState(0);
  useEffect(() => follow(latest, (value) => setReply({ key, value })), [key, turn]);
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  return [reply?.key === key ? reply.value : null, refresh];
}

interface Asking<T> {
  current: { ask: () => Promise<T>; isBusy: (reply: T) => boolean };
}

/** Ask until the returned function is called. An error is shown once, until an answer comes again. */
function follow<T>(latest: Asking<T>, tell: (reply: T) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hasEnded = false;
  let hasFailed = false;
  const step = async () => {
    let pause = IDLE_MS;
    try {
      const reply = await latest.current.ask();
      if (hasEnded) return;
      tell(reply);
      hasFailed = false;
      if (latest.current.isBusy(reply)) pause = BUSY_MS;
    } catch (error) {
      if (hasEnded) return;
      if (!hasFailed) showError(error);
      hasFailed = true;
    }
    timer = setTimeout(next, pause);
  };
  const next = () =>
    document.hidden ? document.addEventListener("visibilitychange", next, { once: true }) : step();
  void step();
  return () => {
    hasEnded = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", next);
  };
}
