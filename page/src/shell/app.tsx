import { useEffect, useState } from "preact/hooks";
import { api, needsToken, ok } from "../api/client";
import type { Offer } from "../views/table";
import { Header } from "./header";
import { Live, NoticeBanner } from "./notice-banner";
import { banner, showError } from "./notices";
import { offerTurn } from "./offer";
import { hash, routeOf } from "./route";
import { SignIn } from "./sign-in";
import { useStore } from "./store";
import { useText } from "./text";
import { ViewFrame } from "./view-frame";

/** The whole page: the header, and below it one view, or the form to sign in. */
export function App() {
  const text = useText();
  const mustSignIn = useStore(needsToken);
  const [offer, setOffer] = useState<Offer | null>(null);
  const route = routeOf(useStore(hash));
  const turn = useStore(offerTurn);
  useEffect(() => {
    if (!mustSignIn) ok(api.GET("/v1/page")).then(setOffer).catch(showError);
  }, [mustSignIn, turn]);
  useEffect(() => {
    document.documentElement.lang = text.language;
  }, [text]);
  useEffect(() => banner.set(null), [route.view]);

  const view = offer?.views.find((name) => name === route.view) ?? offer?.views[0];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("content")?.focus()}>
        {text("shell.skip")}
      </button>
      <Header views={mustSignIn ? [] : (offer?.views ?? [])} current={view} />
      <NoticeBanner />
      <Live />
      <main id="content" tabIndex={-1}>
        {mustSignIn ? (
          <SignIn />
        ) : (
          offer &&
          view && (
            <ViewFrame key={view} name={view} offer={offer} rest={view === route.view ? route.rest : ""} />
          )
        )}
      </main>
    </>
  );
}
