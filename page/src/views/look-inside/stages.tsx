import { useEffect, useMemo, useState } from "preact/hooks";
import { announce } from "../../shell/notices";
import { useText } from "../../shell/text";
import { detailsOf, type Stage } from "./explanation";
import { FollowSentence, ObjectChoice } from "./follow";
import { Gallery } from "./gallery";
import { KnobPanel } from "./knob-panel";
import { FIRST_KNOBS } from "./knobs";
import { Legend } from "./legend";
import { sceneOf, viewOf } from "./scene";
import type { Shown } from "./session";
import { StagePicture } from "./stage-picture";
import { StageRow } from "./stage-row";
import { stageText, stageTitle } from "./stage-text";

/** All stages of an explanation, one at a time. */
export function Stages({ shown }: { shown: Shown }) {
  const { explanation, url } = shown;
  const text = useText();
  const [knobs, setKnobs] = useState(FIRST_KNOBS);
  const { index, stage, go } = useSteps(explanation.stages, (each) =>
    announce(stageTitle(text, explanation, each)),
  );
  const view = useMemo(() => viewOf(explanation, stage, knobs), [explanation, stage, knobs]);
  const scene = useMemo(() => sceneOf(view), [view]);
  const details = detailsOf(stage);
  return (
    <div class="look-stages">
      <StageRow explanation={explanation} index={index} go={go} />
      <div class="look-picture" style={{ aspectRatio: `${explanation.width} / ${explanation.height}` }}>
        <StagePicture
          {...{ explanation, stage, scene }}
          src={url}
          label={stageTitle(text, explanation, stage)}
        />
      </div>
      <div class="look-side">
        <h2>{stageTitle(text, explanation, stage)}</h2>
        <p>{stageText(text, explanation, stage)}</p>
        <FollowSentence view={view} />
        <Legend view={view} />
        <KnobPanel view={view} setKnobs={setKnobs} />
        <ObjectChoice view={view} setKnobs={setKnobs} />
      </div>
      {details.length > 0 && <Gallery view={view} details={details} src={url} />}
    </div>
  );
}

/** The number of the stage that is shown. The left and right arrow keys change it. */
function useSteps(stages: Stage[], onStep: (stage: Stage) => void) {
  const [index, setIndex] = useState(0);
  const go = (to: number) => {
    const next = Math.min(stages.length - 1, Math.max(0, to));
    setIndex(next);
    const stage = stages[next];
    if (stage && next !== index) onStep(stage);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const target = event.target instanceof Element ? event.target : null;
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      if (target?.closest("input, select, textarea, [contenteditable]")) return;
      event.preventDefault();
      go(index + step);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  return { index, go, stage: stages[index] as Stage };
}
