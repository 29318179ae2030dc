import { Chart } from "../../parts/chart/chart";
import { score } from "../../parts/jobs/format";
import type { Detail } from "../../parts/jobs/types";
import { Table } from "../../parts/table";
import { useText } from "../../shell/text";
import { learningCurves } from "./curve";

/** The learning curve as it grows; at the end with what more photos would bring. */
export function ForecastResult({ job }: { job: Detail }) {
  const text = useText();
  const curve = job.learning_curve;
  if (!curve?.points.length) return <p class="soft">{text("forecast.nothingYet")}</p>;
  const names = { measured: text("forecast.measured"), expected: text("forecast.expected") };
  return (
    <>
      {curve.sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {curve.warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
      <Chart
        title={text("forecast.curve", { metric: curve.metric ?? text("forecast.metric") })}
        {...learningCurves(curve, names)}
        xLabel={text("forecast.trainingPhotos")}
        write={(value) => score(value, text)}
        height={260}
      />
      {curve.outlooks.length > 0 && <Outlooks job={job} />}
    </>
  );
}

function Outlooks({ job }: { job: Detail }) {
  const text = useText();
  const rows = job.learning_curve?.outlooks ?? [];
  return (
    <Table
      caption={text("forecast.table")}
      columns={[
        { name: text("forecast.morePhotos"), cell: (row) => text.number(row.more) },
        { name: text("forecast.inAll"), cell: (row) => text.number(row.photos), isNumber: true },
        { name: text("forecast.expected"), cell: (row) => score(row.value, text), isNumber: true },
        {
          name: text("compare.interval"),
          cell: (row) => `${score(row.interval.low, text)} – ${score(row.interval.high, text)}`,
          isNumber: true,
        },
      ]}
      rows={rows}
      keyOf={(row) => row.more}
    />
  );
}
