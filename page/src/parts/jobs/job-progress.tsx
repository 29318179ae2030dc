import { useText } from "../../shell/text";
import { ProgressBar } from "../progress-bar";
import { duration, stepName } from "./format";
import type { Job } from "./types";

/** How far a running job has come. */
export function JobProgress({ job }: { job: Job }) {
  const text = useText();
  const progress = job.progress;
  if (!progress) return null;
  const item =
    progress.item && job.kind === "forecast"
      ? text("jobs.photos", { count: Number(progress.item) })
      : progress.item;
  const step = job.state === "stopping" ? text("jobs.saving") : stepName(progress.step, text);
  const notes = [];
  if (progress.seconds_left != null) {
    notes.push(text("jobs.left", { time: duration(progress.seconds_left, text) }));
  }
  if (progress.images_per_second != null) {
    const speed = text.number(progress.images_per_second, { maximumFractionDigits: 1 });
    notes.push(text("jobs.speed", { speed }));
  }
  return (
    <ProgressBar
      label={item ? `${item}: ${step}` : step}
      value={progress.share ?? null}
      note={notes.join(" · ")}
    />
  );
}
