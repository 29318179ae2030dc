import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, api, needsToken, ok } from "../api/client";
import { sentenceOf } from "./notices";
import { useText } from "./text";

/** Asks for the token of the server, and exchanges it for a cookie that scripts cannot read. */
export function SignIn() {
  const text = useText();
  const field = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await ok(api.POST("/v1/session", { body: { token: field.current?.value.trim() ?? "" } }));
      needsToken.set(false);
    } catch (error) {
      const isWrong = error instanceof ApiError && error.status === 401;
      setProblem(isWrong ? text("shell.wrongToken") : sentenceOf(error));
      setBusy(false);
      field.current?.select();
    }
  };

  return (
    <form class="sign-in" onSubmit={submit}>
      <h1>{text("shell.signIn")}</h1>
      <p id="token-help">{text("shell.tokenHelp")}</p>
      {/* browsers keep passwords by user */}
      <input type="text" autocomplete="username" value="boxmask" readOnly hidden />
      <label for="token">{text("shell.token")}</label>
      <input
        id="token"
        ref={field}
        type="password"
        autocomplete="current-password"
        required
        aria-describedby="token-help token-problem"
      />
      <p id="token-problem" class="problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="main" disabled={isBusy}>
        {text("shell.signIn")}
      </button>
    </form>
  );
}
