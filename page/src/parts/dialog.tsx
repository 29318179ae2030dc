import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useText } from "../shell/text";
import "./parts.css";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Buttons at the end; without them there is one that closes. */
  buttons?: ComponentChildren;
}

/** A window over the page, open as long as it is drawn. The browser keeps the focus in it; Escape closes it. */
export function Dialog({ title, onClose, children, buttons }: Props) {
  const text = useText();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
      <div class="row end">
        {buttons ?? (
          <button type="button" onClick={onClose}>
            {text("parts.close")}
          </button>
        )}
      </div>
    </dialog>
  );
}
