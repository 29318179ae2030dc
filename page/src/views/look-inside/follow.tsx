import type { Dispatch, StateUpdater } from "preact/hooks";
import { distinctColor } from "../../parts/colors";
import { type Text, useText } from "../../shell/text";
import { detailsOf } from "./explanation";
import type { Knobs } from "./knobs";
import { isPoint } from "./overlay";
import type { View } from "./scene";
import { distance, type Trace } from "./trace";

interface Props {
  view: View;
  setKnobs: Dispatch<StateUpdater<Knobs>>;
}

/** Which of the found objects is followed through the stages. */
export function ObjectChoice({ view, setKnobs }: Props) {
  const text = useText();
  const { traces, knobs } = view;
  if (!traces.length) return null;
  const follow = (object: number | null) => setKnobs((before) => ({ ...before, object, choice: {} }));
  return (
    <fieldset class="look-objects">
      <legend>{text("look-inside.follow")}</legend>
      <div class="row">
        <button type="button" aria-pressed={knobs.object === null} onClick={() => follow(null)}>
          {text("look-inside.all")}
        </button>
        {traces.map((trace, object) => (
          <button
            type="button"
            key={`${object} ${trace.name}`}
            aria-pressed={knobs.object === object}
            onClick={() => follow(object)}
          >
            <span class="look-dot" style={{ background: distinctColor(object) }} />
            {nameOf(trace)}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

/** What the stage does with the followed object. */
export function FollowSentence({ view }: { view: View }) {
  const text = useText();
  const { knobs, traces } = view;
  const trace = knobs.object === null ? undefined : traces[knobs.object];
  const sentence = trace && followSentence(text, view, trace);
  return sentence ? <p class="look-followed">{sentence}</p> : null;
}

function nameOf(trace: Trace): string {
  return `${trace.name} ${trace.score.toFixed(2)}`;
}

/** The sentence about the followed object in a stage; undefined if there is nothing to say. */
export function followSentence(text: Text, { stage, knobs }: View, trace: Trace): string | undefined {
  const name = nameOf(trace);
  switch (stage.name) {
    case "anchors":
    case "objectness":
    case "centerness":
    case "class-scores":
      return ofAnchor(text, trace);
    case "proposals":
      return ofProposal(text, trace);
    case "box-regression":
    case "winners":
      return ofMove(text, trace);
    case "nms":
      return text("look-inside.followed.nms", { name, count: trace.removed });
    case "detections":
      return text("look-inside.followed.detection", { name });
  }
  const number = detailsOf(stage).findIndex((each) => each.objects.includes(knobs.object ?? -1));
  if (number >= 0) return text("look-inside.followed.detail", { name, number: number + 1 });
  return stage.name === "scores" ? ofAnchor(text, trace) : undefined;
}

function ofAnchor(text: Text, trace: Trace): string | undefined {
  const { anchor, stride } = trace;
  if (!anchor || stride === undefined) return undefined;
  const key = isPoint(anchor) ? "look-inside.followed.point" : "look-inside.followed.anchor";
  return text(key, { name: nameOf(trace), stride });
}

function ofProposal(text: Text, trace: Trace): string | undefined {
  const { anchor, proposal, objectness } = trace;
  const name = nameOf(trace);
  if (!proposal) return undefined;
  if (!anchor || objectness === undefined) return text("look-inside.followed.proposal", { name });
  return text("look-inside.followed.proposalOfAnchor", {
    name,
    objectness: objectness.toFixed(2),
    pixels: Math.round(distance(anchor, proposal)),
  });
}

function ofMove(text: Text, trace: Trace): string | undefined {
  const [start, { moved }] = [trace.proposal ?? trace.anchor, trace];
  if (!start || !moved) return undefined;
  const name = nameOf(trace);
  if (isPoint(start)) return text("look-inside.followed.reach", { name });
  return text("look-inside.followed.moved", { name, pixels: Math.round(distance(start, moved)) });
}
