import { useText } from "../../shell/text";
import type { ViewProps } from "../table";

export default function View(_: ViewProps) {
  const text = useText();
  return (
    <section class="view">
      <h1>{text("train.title")}</h1>
      <p>{text("train.purpose")}</p>
    </section>
  );
}
