import { useMemo } from "preact/hooks";
import { boxColor, isBackground, mapColors } from "../../parts/colors";
import { type ClassChoice, ClassFilter, ScoreFilter } from "../../parts/filters";
import { type Text, useText } from "../../shell/text";
import { countClasses, type Filter } from "./objects";
import type { Model, PhotoResult } from "./predictions";

/** A model, and its result for the photo that is shown. */
export interface Shown {
  model: Model;
  result: PhotoResult;
}

interface Props {
  shown: readonly Shown[];
  filter: Filter;
  onChange: (filter: Filter) => void;
}

/** Chooses the scores and classes that are shown, of all models at once. */
export function Filters({ shown, filter, onChange }: Props) {
  const text = useText();
  const classes = useMemo(() => choices(shown, filter.minScore, text), [shown, filter.minScore, text]);
  const hasScores = shown.some(({ result }) => result.objects);
  return (
    <>
      {hasScores && (
        <ScoreFilter value={filter.minScore} onChange={(minScore) => onChange({ ...filter, minScore })} />
      )}
      {classes.length > 0 && (
        <ClassFilter
          classes={classes}
          hidden={filter.hidden}
          onChange={(hidden) => onChange({ ...filter, hidden })}
        />
      )}
    </>
  );
}

/** The classes that occur, in the order of the models, with their number or share per model. */
function choices(shown: readonly Shown[], minScore: number, text: Text): ClassChoice[] {
  const found = new Map<string, ClassChoice>();
  const countable = shown.filter(({ result }) => result.objects || result.shares);
  const amounts = countable.map(({ result }) => amountsOf(result, minScore, text));
  for (const { model, result } of shown) {
    const colors = result.label_map
      ? mapColors(model.class_names)
      : model.class_names.map((_, i) => boxColor(i));
    model.class_names.forEach((name, index) => {
      const occurs = result.objects?.some((each) => each.class === name) || result.shares?.[name];
      if (!occurs || found.has(name) || (result.label_map && isBackground(name))) return;
      const amount = amounts.map((of) => of(name)).join(" / ");
      found.set(name, { name, color: colors[index] as string, amount });
    });
  }
  return [...found.values()];
}

function amountsOf(result: PhotoResult, minScore: number, text: Text): (name: string) => string {
  const counts = countClasses(result.objects ?? [], minScore);
  const shares = result.shares;
  return (name) => (shares ? text.percent(shares[name] ?? 0, 1) : text.number(counts.get(name) ?? 0));
}
