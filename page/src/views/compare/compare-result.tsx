import type { Schema } from "../../api/client";
import { Chart } from "../../parts/chart/chart";
import { score } from "../../parts/jobs/format";
import type { Detail } from "../../parts/jobs/types";
import { type Column, Table } from "../../parts/table";
import { useText } from "../../shell/text";
import "./compare.css";
import { joinValidations } from "./join";

type Row = Schema<"ComparedRow">;

/** The table of a comparison as it grows, and how its models have learned. */
export function CompareResult({ job }: { job: Detail }) {
  const text = useText();
  const { table } = job;
  const learned = joinValidations(job.trainings, table?.metric ?? "AP");
  return (
    <>
      {table?.plan.map((line) => (
        <p key={line} class="soft">
          {line}
        </p>
      ))}
      {table && table.models.length > 0 && (
        <Table
          caption={text("compare.table")}
          columns={columnsOf(table, text)}
          rows={table.models}
          keyOf={(row) => row.name}
        />
      )}
      {table?.failed.map((failed) => (
        <p key={failed.name} class="problem">
          <strong>{failed.name}:</strong> {failed.message}
        </p>
      ))}
      {table?.sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {learned.x.length > 0 ? (
        <Chart
          title={text("compare.learning", { metric: table?.metric ?? "AP" })}
          {...learned}
          xLabel={text("train.trainingMinutes")}
          write={(value) => score(value, text)}
        />
      ) : (
        !table?.models.length && <p class="soft">{text("compare.nothingYet")}</p>
      )}
    </>
  );
}

function columnsOf(table: Schema<"Table">, text: ReturnType<typeof useText>): Column<Row>[] {
  const forms = [...new Set(table.models.flatMap((row) => Object.keys(row.ms_per_photo)))];
  const number = (value: number | null | undefined) =>
    value == null ? "–" : text.number(value, { maximumSignificantDigits: 3 });
  return [
    { name: text("jobs.method"), cell: (row) => row.name },
    { name: table.metric, cell: (row) => score(row.value, text), isNumber: true },
    { name: text("compare.interval"), cell: (row) => intervalOf(row, text), isNumber: true },
    { name: text("compare.trained"), cell: (row) => number(row.minutes), isNumber: true },
    ...forms.map((form) => ({
      name: text("compare.speed", { form }),
      cell: (row: Row) => number(row.ms_per_photo[form]),
      isNumber: true,
    })),
  ];
}

function intervalOf(row: Row, text: ReturnType<typeof useText>): string {
  return row.interval ? `${score(row.interval.low, text)} – ${score(row.interval.high, text)}` : "–";
}
