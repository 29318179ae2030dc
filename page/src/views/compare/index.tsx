import { JobsView } from "../../parts/jobs/jobs-view";
import type { ViewProps } from "../table";
import { CompareForm } from "./compare-form";
import { CompareResult } from "./compare-result";

export default function View({ offer, rest }: ViewProps) {
  return <JobsView kind="compare" offer={offer} rest={rest} Form={CompareForm} Result={CompareResult} />;
}
