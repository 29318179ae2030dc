import type { Dispatch, StateUpdater } from "preact/hooks";
import { type Text, useText } from "../../shell/text";
import { boxesNamed, type Layer } from "./explanation";
import { choiceOf, choicesOf, hasScores, type Knobs, scoreOf } from "./knobs";
import { chosenLayer, type View } from "./scene";

interface Props {
  view: View;
  setKnobs: Dispatch<StateUpdater<Knobs>>;
}

/** What the user can change in a stage. Nothing asks the server. */
export function KnobPanel(props: Props) {
  const { stage } = props.view;
  return (
    <div class="look-knobs">
      {choicesOf(stage).length > 1 && <LayerChoice {...props} />}
      {stage.name === "proposals" && <CountKnob {...props} />}
      {hasScores(stage) && <ScoreKnob {...props} />}
      {stage.name === "nms" && <RemovedKnob {...props} />}
    </div>
  );
}

function LayerChoice({ view, setKnobs }: Props) {
  const text = useText();
  const { stage, knobs, traces } = view;
  const choices = choicesOf(stage);
  const chosen = choiceOf(stage, knobs, knobs.object === null ? undefined : traces[knobs.object]);
  const choose = (number: number) =>
    setKnobs((before) => ({ ...before, choice: { ...before.choice, [stage.name]: number } }));
  if (stage.name === "regions") return <RegionSlider {...{ choices, chosen, choose }} />;
  return (
    <fieldset>
      <legend class="unseen">{text("look-inside.show")}</legend>
      <div class="row">
        {choices.map((layer, number) => {
          const name = layerName(text, layer);
          return (
            <button type="button" key={name} aria-pressed={number === chosen} onClick={() => choose(number)}>
              {name}
            </button>
          );
        })}
      </div>
    </fieldset>
  );
}

interface RegionProps {
  choices: readonly Layer[];
  chosen: number;
  choose(number: number): void;
}

function RegionSlider({ choices, chosen, choose }: RegionProps) {
  const text = useText();
  const layer = choices[chosen];
  const count = layer?.kind === "picture" ? (layer.count ?? 0) : 0;
  return (
    <Slider
      label={text("look-inside.regions", { count })}
      max={choices.length - 1}
      step={1}
      value={chosen}
      onInput={choose}
    />
  );
}

function CountKnob({ view, setKnobs }: Props) {
  const text = useText();
  const { stage, knobs } = view;
  const chosen = chosenLayer(view);
  const layer = chosen?.kind === "boxes" ? chosen : boxesNamed(stage, "proposals");
  const most = layer?.boxes.length ?? 0;
  const shown = Math.min(knobs.count, most);
  return (
    <Slider
      label={text("look-inside.shown", { shown, total: layer?.total ?? 0 })}
      max={most}
      step={1}
      value={shown}
      onInput={(count) => setKnobs((before) => ({ ...before, count }))}
    />
  );
}

function ScoreKnob({ view, setKnobs }: Props) {
  const text = useText();
  const { stage, knobs } = view;
  const score = scoreOf(stage, knobs);
  return (
    <Slider
      label={text("look-inside.lowest", { score: score.toFixed(2) })}
      max={1}
      step={0.01}
      value={score}
      onInput={(value) =>
        setKnobs((before) => ({ ...before, score: { ...before.score, [stage.name]: value } }))
      }
    />
  );
}

function RemovedKnob({ view, setKnobs }: Props) {
  const text = useText();
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={view.knobs.removed}
        onChange={(event) => {
          const removed = event.currentTarget.checked;
          setKnobs((before) => ({ ...before, removed }));
        }}
      />
      {text("look-inside.removed")}
    </label>
  );
}

interface SliderProps {
  label: string;
  max: number;
  step: number;
  value: number;
  onInput(value: number): void;
}

function Slider({ label, max, step, value, onInput }: SliderProps) {
  return (
    <label class="look-slider">
      <span>{label}</span>
      <input
        type="range"
        min={0}
        max={max}
        step={step}
        value={value}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}

/** What a layer shows, among the others of its stage. */
export function layerName(text: Text, layer: Layer): string {
  switch (layer.kind) {
    case "map":
      if (layer.class) return layer.class;
      if (typeof layer.rate === "number")
        return layer.rate ? text("look-inside.rate", { rate: layer.rate }) : "1 × 1";
      return text("look-inside.stride", { stride: layer.stride ?? 0 });
    case "anchors":
      return text("look-inside.stride", { stride: layer.stride });
    case "labels":
      return labelName(text, layer.name, layer.stride ?? 0, layer.changed ?? 0);
    default:
      return layer.name === "before-nms" ? text("look-inside.beforeNms") : text("look-inside.afterNms");
  }
}

function labelName(text: Text, name: string, stride: number, changed: number): string {
  if (name === "with-all-maps") return text("look-inside.allMaps");
  if (name === "without") return text("look-inside.without", { stride, changed: text.percent(changed, 1) });
  return `FCN-${stride}s`;
}
