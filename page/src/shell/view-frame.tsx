import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Offer, VIEWS, type ViewName, type ViewProps } from "../views/table";
import { showError } from "./notices";
import { useText } from "./text";

interface Props {
  name: ViewName;
  offer: Offer;
  rest: string;
}

/** Loads a view and shows it. */
export function ViewFrame({ name, offer, rest }: Props) {
  const text = useText();
  const [View, setView] = useState<ComponentType<ViewProps> | null>(null);
  useEffect(() => {
    document.title = `${text(`${name}.title`)} · boxmask`;
  }, [name, text]);
  useEffect(() => {
    VIEWS[name]()
      .then((module) => setView(() => module.default))
      .catch(showError);
  }, [name]);
  return View && <View offer={offer} rest={rest} />;
}
