import { useEffect, useRef } from "preact/hooks";

/** What the keys do: by what they write, with "Ctrl+", "Shift+" and "Alt+" before it, in this order. */
export type Keys = Readonly<Record<string, () => void>>;

/** Listen to keys, unless they are typed into a field. Keys of the letter are those of the keyboard's letter. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isTyping(event)) return;
      const act = latest.current[nameOf(event)];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

/** "Ctrl+Shift+z" */
export function nameOf(event: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase(); // also with Korean letters
  const key = letter ?? event.key;
  const parts = [
    event.ctrlKey || event.metaKey ? "Ctrl" : "",
    event.shiftKey ? "Shift" : "",
    event.altKey ? "Alt" : "",
  ];
  return [...parts.filter(Boolean), key].join("+");
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target || event.ctrlKey || event.metaKey) return false;
  if (target.closest("textarea, select")) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(target.type);
}
