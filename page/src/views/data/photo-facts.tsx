import { useText } from "../../shell/text";
import type { Photo } from "./api";
import type { Box, Objects } from "./edits";
import type { Editor } from "./use-editor";

/** What the doctor found about the photo. Choosing a finding shows its object. */
export function PhotoFindings({
  photo,
  objects,
  editor,
  onReadAgain,
}: {
  photo: Photo;
  objects: Objects;
  editor: Editor;
  /** null while there are corrections, which it would drop. */
  onReadAgain: (() => void) | null;
}) {
  const text = useText();
  if (photo.findings.length === 0) return null;
  const show = (object: number | null, box: Box | null) => {
    const found = objects.find((each) => each.id !== null && each.id === object);
    if (found) editor.select(found.key);
    const shown = box ?? found?.box;
    if (shown) editor.look(shown);
  };
  return (
    <section class="findings" aria-label={text("data.photoFindings")}>
      <h2>{text("data.photoFindings")}</h2>
      {photo.findings_outdated && (
        <>
          <p class="soft">{text("data.outdated")}</p>
          <button type="button" disabled={!onReadAgain} onClick={() => onReadAgain?.()}>
            {text("data.readAgain")}
          </button>
        </>
      )}
      <ul>
        {photo.findings.map((finding, index) => (
          <li key={`${finding.kind}-${index}`} class={`finding ${finding.severity}`}>
            <p>
              <strong class="severity">{text(`data.severities.${finding.severity}`)}</strong>{" "}
              {finding.heading}
            </p>
            {finding.detail && <p class="soft place">{finding.detail}</p>}
            {(finding.box || finding.object !== null) && (
              <button type="button" onClick={() => show(finding.object, finding.box as Box | null)}>
                {text("data.select")}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Where the labels are, and their old versions. */
export function PhotoFacts({ photo, onRestore }: { photo: Photo; onRestore: (number: number) => void }) {
  const text = useText();
  const dates = new Intl.DateTimeFormat(text.language, { dateStyle: "medium", timeStyle: "medium" });
  return (
    <section class="facts">
      <dl>
        <dt>{text("data.size")}</dt>
        <dd>
          {photo.width} × {photo.height}
        </dd>
        {photo.split && <dt>{text("data.split")}</dt>}
        {photo.split && <dd>{photo.split}</dd>}
        <dt>{text("data.labelFile")}</dt>
        <dd>{photo.label_file ? <code>{photo.label_file}</code> : text("data.noLabelFile")}</dd>
      </dl>
      {photo.versions.length > 0 && (
        <details>
          <summary>{text("data.versions")}</summary>
          <p class="soft">{text("data.restoreHint")}</p>
          <ol class="versions">
            {photo.versions.map((version) => (
              <li key={version.number} class="row">
                <code>{version.file}</code>
                <span class="soft">{dates.format(version.time * 1000)}</span>
                <button
                  type="button"
                  aria-label={`${text("data.restore")}: ${version.file}`}
                  onClick={() => onRestore(version.number)}
                >
                  {text("data.restore")}
                </button>
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}

/** What the keys do. */
export function KeyHelp() {
  const text = useText();
  const lines = ["next", "draw", "class", "move", "points", "remove", "undo"] as const;
  return (
    <details class="keys">
      <summary>{text("data.keys")}</summary>
      <ul>
        {lines.map((line) => (
          <li key={line}>{text(`data.keysList.${line}`)}</li>
        ))}
      </ul>
    </details>
  );
}
