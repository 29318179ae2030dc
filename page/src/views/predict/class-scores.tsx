import { boxColor } from "../../parts/colors";
import { useText } from "../../shell/text";
import type { Model, PhotoResult } from "./predictions";

const MOST = 12;

interface Props {
  model: Model;
  scores: NonNullable<PhotoResult["scores"]>;
}

/** The scores of a classifier as bars, the likeliest class first. */
export function ClassScores({ model, scores }: Props) {
  const text = useText();
  const rows = Object.entries(scores)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST);
  return (
    <ol class="class-scores" aria-label={text("predict.classScores")}>
      {rows.map(([name, score]) => (
        <li key={name}>
          <span class="class-name">{name}</span>
          <span class="score">{text.percent(score, 1)}</span>
          <span class="bar" aria-hidden="true">
            <span
              style={{ width: `${100 * score}%`, background: boxColor(model.class_names.indexOf(name)) }}
            />
          </span>
        </li>
      ))}
    </ol>
  );
}
