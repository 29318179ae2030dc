import { api, ok } from "../../api/client";
import { showError } from "../../shell/notices";
import { askForOffer } from "../../shell/offer";
import { go } from "../../shell/route";
import type { Action, Job } from "./types";

/** Do something with a job. Returns whether it worked; an error is shown. */
export async function act(job: Job, action: Action): Promise<boolean> {
  const asked = { params: { path: { job_id: job.id } }, body: {} };
  try {
    if (action === "use") {
      const { model } = await ok(api.POST("/v1/jobs/{job_id}/use", asked));
      askForOffer();
      go("predict", encodeURIComponent(model));
    } else if (action === "remove") {
      await ok(api.POST("/v1/jobs/{job_id}/remove", asked));
    } else {
      await ok(api.POST(`/v1/jobs/{job_id}/${action}`, asked));
    }
    return true;
  } catch (error) {
    showError(error);
    return false;
  }
}
