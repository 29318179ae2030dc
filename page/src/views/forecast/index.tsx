import { JobsView } from "../../parts/jobs/jobs-view";
import type { ViewProps } from "../table";
import { ForecastForm } from "./forecast-form";
import { ForecastResult } from "./forecast-result";

export default function View({ offer, rest }: ViewProps) {
  return <JobsView kind="forecast" offer={offer} rest={rest} Form={ForecastForm} Result={ForecastResult} />;
}
