import type { Schema } from "../../api/client";

export type Job = Schema<"JobSummary">;
export type Detail = Schema<"JobDetail">;
export type Kind = Job["kind"];
export type Action = Job["actions"][number];

/** Whether the process of a job runs. */
export function isActive(job: Job): boolean {
  return job.state === "running" || job.state === "stopping";
}
