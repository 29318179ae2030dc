import { useEffect, useRef, useState } from "preact/hooks";
import { showError } from "../shell/notices";
import { currentText, useText } from "../shell/text";
import { sortOut } from "./photo-files";
import "./parts.css";

interface Props {
  /** Called with at least one photo. */
  onPhotos: (photos: File[]) => void;
  /** A single row of buttons, where a photo is shown already. */
  isSmall?: boolean;
}

/** Takes photos that are dropped or pasted anywhere on the page, chosen, or taken with the camera. */
export function Dropzone({ onPhotos, isSmall = false }: Props) {
  const text = useText();
  const isOver = useDropAndPaste(onPhotos);
  return (
    <div class={`dropzone ${isSmall ? "small" : ""} ${isOver ? "over" : ""}`}>
      {!isSmall && <p>{text(isOver ? "parts.dropNow" : "parts.dropHint")}</p>}
      <div class="row">
        <FileButton label={text("parts.choosePhotos")} onPhotos={onPhotos} isMain={!isSmall} />
        {hasCamera() && <FileButton label={text("parts.takePhoto")} onPhotos={onPhotos} isCamera />}
      </div>
    </div>
  );
}

interface FileButtonProps {
  label: string;
  onPhotos: Props["onPhotos"];
  isMain?: boolean;
  isCamera?: boolean;
}

function FileButton({ label, onPhotos, isMain = false, isCamera = false }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class={isMain ? "main" : ""} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple={!isCamera}
        capture={isCamera ? "environment" : undefined}
        hidden
        aria-label={label}
        onChange={(event) => {
          take(event.currentTarget.files ?? [], onPhotos);
          event.currentTarget.value = ""; // the same file may be chosen again
        }}
      />
    </>
  );
}

/** Listen to the whole page. Returns whether something is dragged over it. */
function useDropAndPaste(onPhotos: Props["onPhotos"]): boolean {
  const [isOver, setOver] = useState(false);
  const latest = useRef(onPhotos);
  latest.current = onPhotos;
  useEffect(() => {
    const stop = new AbortController();
    const on = <K extends "dragover" | "dragleave" | "drop" | "paste">(
      name: K,
      act: (event: DocumentEventMap[K]) => void,
    ) => document.addEventListener(name, act, { signal: stop.signal });
    on("dragover", (event) => {
      event.preventDefault();
      setOver(true);
    });
    on("dragleave", (event) => event.relatedTarget === null && setOver(false));
    on("drop", (event) => {
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer?.files ?? [], latest.current);
    });
    on("paste", (event) => {
      const files = event.clipboardData?.files ?? [];
      if (files.length > 0) take(files, latest.current);
    });
    return () => stop.abort();
  }, []);
  return isOver;
}

function take(files: Iterable<File>, onPhotos: Props["onPhotos"]): void {
  const { photos, others } = sortOut(files);
  const text = currentText();
  if (others.length > 0) showError(new Error(text("parts.notAPhoto", { name: others.join(", ") })));
  else if (photos.length === 0) showError(new Error(text("parts.noPhotos")));
  if (photos.length > 0) onPhotos(photos);
}

/** Phones and tablets take photos from the button itself; elsewhere it would be a second way to choose. */
function hasCamera(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}
