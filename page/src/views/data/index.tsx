import { useText } from "../../shell/text";
import type { ViewProps } from "../table";

export default function View(_: ViewProps) {
  const text = useText();
  return (
    <section class="view">
      <h1>{text("data.title")}</h1>
      <p>{text("data.purpose")}</p>
    </section>
  );
}
