import { useText } from "../../shell/text";
import type { ViewProps } from "../table";
import { ChoosePhoto } from "./choose-photo";
import { DataPhotos } from "./data-photos";
import { useSession } from "./session";
import { Stages } from "./stages";
import "./look-inside.css";

/** Step through the stages of a method, from the photo to the result. */
export default function LookInside({ offer, rest }: ViewProps) {
  const text = useText();
  const session = useSession();
  const { shown, isBusy } = session;
  return (
    <section class="view look-inside-view">
      <h1>{text("look-inside.title")}</h1>
      {!shown && <p class="look-purpose">{text("look-inside.purpose")}</p>}
      <ChoosePhoto session={session} />
      {offer.datasets.length > 0 && <DataPhotos datasets={offer.datasets} rest={rest} session={session} />}
      <p class="look-status" role="status">
        {isBusy ? text("look-inside.busy") : ""}
      </p>
      {shown && <Stages key={shown.url + shown.explanation.model} shown={shown} />}
    </section>
  );
}
