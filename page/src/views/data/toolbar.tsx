import { useText } from "../../shell/text";
import type { Photo } from "./api";
import type { Tool } from "./drawing";
import type { Draft } from "./edits";
import { isDirty } from "./edits";
import { Choice } from "./filters";
import type { Editor } from "./use-editor";

interface Props {
  photo: Photo;
  draft: Draft;
  editor: Editor;
  classes: string[];
  isBusy: boolean;
  onSave: () => void;
  onDiscard: () => void;
}

/** The tools, the class of new objects, and what happens to the corrections. */
export function Toolbar({ photo, draft, editor, classes, isBusy, onSave, onDiscard }: Props) {
  const text = useText();
  const dirty = isDirty(draft);
  return (
    <div class="toolbar" role="toolbar" aria-label={text("data.tools")}>
      <div class="row">
        <ToolButton tool="select" editor={editor} />
        <ToolButton tool="box" editor={editor} />
        {photo.correcting.shapes.includes("polygon") && <ToolButton tool="polygon" editor={editor} />}
      </div>
      <Choice
        label={text(editor.object ? "data.class" : "data.newClass")}
        value={editor.object?.className ?? editor.newClass}
        options={classes.map((name) => [name, name] as const)}
        onChange={editor.setClass}
      />
      <div class="row">
        <button type="button" disabled={!editor.object} onClick={() => editor.remove()}>
          {text("data.remove")}
        </button>
        <button type="button" disabled={draft.past.length === 0} onClick={editor.undo}>
          {text("data.undo")}
        </button>
        <button type="button" disabled={draft.future.length === 0} onClick={editor.redo}>
          {text("data.redo")}
        </button>
      </div>
      <div class="row saving">
        <button type="button" class="main" disabled={!dirty || isBusy} onClick={onSave}>
          {text("data.save")}
        </button>
        {dirty && (
          <>
            <button type="button" onClick={onDiscard}>
              {text("data.discard")}
            </button>
            <span class="dirty">{text("data.dirty")}</span>
          </>
        )}
      </div>
      {editor.tool !== "select" && (
        <p class="soft hint">{text(editor.tool === "box" ? "data.drawBoxHint" : "data.drawPolygonHint")}</p>
      )}
    </div>
  );
}

const NAMES = { select: "data.select", box: "data.drawBox", polygon: "data.drawPolygon" } as const;

/** By the keyboard, "Draw a box" adds one in the middle, which the arrow keys move. */
function ToolButton({ tool, editor }: { tool: Tool; editor: Editor }) {
  const text = useText();
  const onClick = (event: MouseEvent) => {
    if (tool === "box" && event.detail === 0) editor.addBox();
    else editor.setTool(tool);
  };
  return (
    <button type="button" aria-pressed={editor.tool === tool} onClick={onClick}>
      {text(NAMES[tool])}
    </button>
  );
}
