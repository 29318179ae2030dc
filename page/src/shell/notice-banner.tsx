import { useEffect, useState } from "preact/hooks";
import { banner, spoken } from "./notices";
import { useStore } from "./store";
import { useText } from "./text";

/** The one place for errors that no part of a view shows. */
export function NoticeBanner() {
  const text = useText();
  const message = useStore(banner);
  return (
    <div role="alert">
      {message !== null && (
        <div class="banner">
          <p>{message}</p>
          <button type="button" onClick={() => banner.set(null)}>
            {text("shell.close")}
          </button>
        </div>
      )}
    </div>
  );
}

/** What screen readers say without the focus moving. */
export function Live() {
  const { text, number } = useStore(spoken);
  const [shown, setShown] = useState("");
  useEffect(() => {
    setShown(""); // a change, also if the sentence is the same
    const timer = setTimeout(() => setShown(text), 50);
    return () => clearTimeout(timer);
  }, [text, number]);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {shown}
    </div>
  );
}
