import { useEffect, useRef } from "preact/hooks";
import { useText } from "../../shell/text";
import type { Explanation } from "./explanation";
import { stageTitle } from "./stage-text";

interface Props {
  explanation: Explanation;
  index: number;
  go(index: number): void;
}

/** The names of all stages, and buttons to the ones before and after. */
export function StageRow({ explanation, index, go }: Props) {
  const text = useText();
  const { stages } = explanation;
  const current = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (index > 0) current.current?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [index]);
  return (
    <nav class="look-row" aria-label={text("look-inside.row")}>
      <button
        type="button"
        aria-label={text("look-inside.previous")}
        disabled={index === 0}
        onClick={() => go(index - 1)}
      >
        <span aria-hidden="true">←</span>
      </button>
      <ol>
        {stages.map((stage, number) => (
          <li key={stage.name}>
            <button
              type="button"
              ref={number === index ? current : null}
              aria-current={number === index ? "step" : undefined}
              onClick={() => go(number)}
            >
              <span class="look-number">{number + 1}</span> {stageTitle(text, explanation, stage)}
            </button>
          </li>
        ))}
      </ol>
      <button
        type="button"
        aria-label={text("look-inside.next")}
        disabled={index === stages.length - 1}
        onClick={() => go(index + 1)}
      >
        <span aria-hidden="true">→</span>
      </button>
    </nav>
  );
}
