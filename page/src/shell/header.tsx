import type { ViewName } from "../views/table";
import { linkTo } from "./route";
import { LANGUAGES, languageChoice, THEMES, theme } from "./settings";
import { type Store, useStore } from "./store";
import { type Key, useText } from "./text";

interface Props {
  views: readonly ViewName[];
  current: ViewName | undefined;
}

/** The name of the program, links to the views, and the choice of colors and language. */
export function Header({ views, current }: Props) {
  const text = useText();
  return (
    <header class="top">
      <span class="brand">boxmask</span>
      <nav aria-label={text("shell.views")}>
        {views.map((view) => (
          <a key={view} href={linkTo(view)} aria-current={view === current ? "page" : undefined}>
            {text(`${view}.title`)}
          </a>
        ))}
      </nav>
      <div class="settings">
        <Choice store={theme} values={THEMES} label="shell.theme" prefix="shell.themes" sign="◐" />
        <Choice
          store={languageChoice}
          values={LANGUAGES}
          label="shell.language"
          prefix="shell.languages"
          sign="文A"
        />
      </div>
    </header>
  );
}

interface ChoiceProps<T extends string> {
  store: Store<T>;
  values: readonly T[];
  label: Key;
  prefix: "shell.themes" | "shell.languages";
  /** What tells the two apart at a glance. */
  sign: string;
}

function Choice<T extends string>({ store, values, label, prefix, sign }: ChoiceProps<T>) {
  const text = useText();
  const value = useStore(store);
  return (
    <label class="setting" title={text(label)}>
      <span aria-hidden="true">{sign}</span>
      <select
        aria-label={text(label)}
        value={value}
        onChange={(event) => store.set(event.currentTarget.value as T)}
      >
        {values.map((each) => (
          <option key={each} value={each}>
            {text(`${prefix}.${each}` as Key)}
          </option>
        ))}
      </select>
    </label>
  );
}
