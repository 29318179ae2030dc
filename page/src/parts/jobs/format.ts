import type { Text } from "../../shell/text";
import type { Job } from "./types";

/** Seconds in words of two parts at most: "45 s", "12 min", "2 h 5 min". */
export function duration(seconds: number, text: Text): string {
  if (seconds < 60) return text("jobs.seconds", { count: Math.max(1, Math.round(seconds)) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return text("jobs.minutes", { count: minutes });
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  const shown = text("jobs.hours", { count: hours });
  return rest ? `${shown} ${text("jobs.minutes", { count: rest })}` : shown;
}

/** The time of day, with the date unless it is today. */
export function moment(seconds: number, text: Text, now = Date.now()): string {
  const date = new Date(1000 * seconds);
  const isToday = date.toDateString() === new Date(now).toDateString();
  const options: Intl.DateTimeFormatOptions = isToday
    ? { timeStyle: "short" }
    : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(text.language, options).format(date);
}

/** A metric, 0 to 1, with three digits. */
export function score(value: number | null | undefined, text: Text): string {
  return value == null ? "–" : text.number(value, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
}

/** What a job works with: its methods and its data. */
export function subject(job: Job, text: Text): string {
  const models = job.models.length ? job.models.join(", ") : text("jobs.automatic");
  return text("jobs.subject", { models, data: job.data });
}

/** The steps that the server names in English; others, such as stages of R-CNN, keep their names. */
export function stepName(step: string, text: Text): string {
  if (step === "preparing") return text("jobs.steps.preparing");
  if (step === "training") return text("jobs.steps.training");
  if (step === "evaluating") return text("jobs.steps.evaluating");
  if (step === "measuring speed") return text("jobs.steps.speed");
  if (step === "analyzing failures") return text("jobs.steps.failures");
  return step;
}

/** The seconds that jobs still need: those that wait, and the rest of the one that runs. null: not known */
export function secondsAhead(jobs: readonly Job[]): number | null {
  let seconds = 0;
  for (const job of jobs) {
    if (job.state === "waiting") {
      if (job.kind !== "train" || !job.minutes) return null;
      seconds += 60 * job.minutes;
    } else if (job.state === "running" || job.state === "stopping") {
      const left = job.progress?.seconds_left;
      if (left == null) return null;
      seconds += left;
    }
  }
  return seconds;
}
