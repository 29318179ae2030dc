import { useText } from "../../shell/text";
import { duration, secondsAhead } from "./format";
import { isActive, type Job } from "./types";

interface Props {
  /** What will be done, in one sentence. */
  sentence: string;
  jobs: readonly Job[];
}

/** What a new job will do, and when it starts. */
export function Plan({ sentence, jobs }: Props) {
  const text = useText();
  const ahead = jobs.filter((job) => isActive(job) || job.state === "waiting");
  const seconds = secondsAhead(ahead);
  const start = !ahead.length
    ? text("jobs.startsNow")
    : seconds === null
      ? text("jobs.startsAfter", { count: ahead.length })
      : text("jobs.startsIn", { count: ahead.length, time: duration(seconds, text) });
  return (
    <p class="plan soft">
      {sentence} {start}
    </p>
  );
}
