import { JobsView } from "../../parts/jobs/jobs-view";
import type { ViewProps } from "../table";
import { TrainForm } from "./train-form";
import { TrainResult } from "./train-result";

export default function View({ offer, rest }: ViewProps) {
  return <JobsView kind="train" offer={offer} rest={rest} Form={TrainForm} Result={TrainResult} />;
}
