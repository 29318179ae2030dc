import { useText } from "../../shell/text";
import type { DataSet, FindingGroup } from "./api";

interface Props {
  data: DataSet;
  /** The kind whose photos are shown, "" for none. */
  chosen: string;
  onChoose: (kind: string) => void;
}

const NARROW = 900; // pixels, as in data.css: the photos come below the findings

/** What the doctor found, by kind. Choosing a kind shows its photos. */
export function Findings({ data, chosen, onChoose }: Props) {
  const text = useText();
  const isChecking = data.reading.state === "checking";
  return (
    <details class="panel findings" open={innerWidth > NARROW}>
      <summary>
        <h2>{text("data.findings")}</h2>
      </summary>
      {isChecking && <p class="soft">{text("data.findingsLater")}</p>}
      {data.findings.length === 0 && !isChecking && <p>{text("data.noFindings")}</p>}
      <ul>
        {data.findings.map((group) => (
          <Group
            key={group.id}
            group={group}
            isChosen={group.id === chosen}
            onChoose={() => onChoose(group.id === chosen ? "" : group.id)}
          />
        ))}
      </ul>
    </details>
  );
}

function Group({
  group,
  isChosen,
  onChoose,
}: {
  group: FindingGroup;
  isChosen: boolean;
  onChoose: () => void;
}) {
  const text = useText();
  return (
    <li class={`finding ${group.severity}`}>
      <p>
        <strong class="severity">{text(`data.severities.${group.severity}`)}</strong> {group.heading}{" "}
        <span class="soft">{text("data.findingCount", { count: group.count })}</span>
      </p>
      <div class="row">
        {group.photos > 0 && (
          <button type="button" aria-pressed={isChosen} onClick={onChoose}>
            {text("data.showPhotos", { count: group.photos })}
          </button>
        )}
        <details>
          <summary>{text("data.remedy")}</summary>
          <p>{group.remedy}</p>
          {group.others.map((place) => (
            <p key={place} class="soft place">
              {place}
            </p>
          ))}
        </details>
      </div>
    </li>
  );
}
