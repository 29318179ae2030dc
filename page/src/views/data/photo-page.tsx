import { useEffect, useRef } from "preact/hooks";
import { addressOf } from "../../api/client";
import { linkTo } from "../../shell/route";
import { useText } from "../../shell/text";
import type { DataSet, Photo } from "./api";
import { Canvas } from "./canvas";
import { type Draft, isDirty } from "./edits";
import { type Keys, useKeys } from "./keys";
import { ObjectList } from "./object-list";
import { obstacleText } from "./obstacle";
import { KeyHelp, PhotoFacts, PhotoFindings } from "./photo-facts";
import { Toolbar } from "./toolbar";
import { type Editor, useEditor } from "./use-editor";
import { type OpenPhoto, usePhoto } from "./use-photo";
import "./photo.css";

/** The photo's place in the list that it was opened from. */
export interface Place {
  index: number;
  total: number;
  onGo: (step: number) => void;
}

interface Props {
  data: DataSet;
  number: number;
  /** null while it is looked for, or if the photo does not pass the filter. */
  place: Place | null;
  onSaved: (data: DataSet | null) => void;
}

/** One photo with its labels, to correct them. */
export function PhotoPage({ data, number, place, onSaved }: Props) {
  const open = usePhoto(data.id, number, onSaved);
  const { photo, draft } = open;
  return (
    <section class="photo-page">
      <PhotoHead dataset={data.id} photo={photo} place={place} />
      {photo && draft && <Workplace data={data} photo={photo} draft={draft} open={open} place={place} />}
    </section>
  );
}

type HeadProps = { dataset: string; photo: Photo | null; place: Place | null };

function PhotoHead({ dataset, photo, place }: HeadProps) {
  const text = useText();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <div class="row photo-head">
      <a class="button" href={linkTo("data", encodeURIComponent(dataset))}>
        {text("data.back")}
      </a>
      <h1 ref={heading} tabIndex={-1}>
        {photo?.file.split("/").at(-1) ?? "…"}
      </h1>
      {place && (
        <div class="row">
          <button type="button" disabled={place.index === 0} onClick={() => place.onGo(-1)}>
            {text("data.previous")}
          </button>
          <span class="soft">{text("data.position", { number: place.index + 1, total: place.total })}</span>
          <button type="button" disabled={place.index + 1 >= place.total} onClick={() => place.onGo(1)}>
            {text("data.next")}
          </button>
        </div>
      )}
    </div>
  );
}

interface WorkplaceProps {
  data: DataSet;
  photo: Photo;
  draft: Draft;
  open: OpenPhoto;
  place: Place | null;
}

function Workplace({ data, photo, draft, open, place }: WorkplaceProps) {
  const classes = data.classes.map(({ name }) => name);
  const editor = useEditor(photo, draft, open.edit, classes);
  const colors = new Map(data.classes.map(({ name, color }) => [name, color]));
  const colorOf = (name: string) => colors.get(name) ?? "#888888";
  useKeys(keysOf(editor, classes, place, () => void open.save()));
  const size = { width: photo.width || 1, height: photo.height || 1 };
  return (
    <div class="workplace">
      <div class="canvas">
        <Canvas
          src={addressOf(photo.image)}
          name={photo.file}
          size={size}
          objects={draft.objects}
          colorOf={colorOf}
          {...editor}
          onSelect={editor.select}
          onChange={editor.replace}
          onDraw={editor.draw}
        />
      </div>
      <Side data={data} photo={photo} draft={draft} open={open} editor={editor} colorOf={colorOf} />
    </div>
  );
}

interface SideProps extends Omit<WorkplaceProps, "place"> {
  editor: Editor;
  colorOf: (className: string) => string;
}

/** The tools, the objects, and what is known about the photo. */
function Side({ data, photo, draft, open, editor, colorOf }: SideProps) {
  return (
    <aside>
      <Troubles data={data} photo={photo} draft={draft} open={open} />
      {open.saved && <p class="panel saved">{open.saved}</p>}
      {editor.canEdit && (
        <Toolbar
          photo={photo}
          draft={draft}
          editor={editor}
          classes={data.classes.map(({ name }) => name)}
          isBusy={open.isBusy}
          onSave={() => void open.save()}
          onDiscard={() => void open.reload()}
        />
      )}
      <ObjectList
        objects={draft.objects}
        selected={editor.selected}
        colorOf={colorOf}
        onSelect={editor.select}
      />
      <PhotoFindings
        photo={photo}
        objects={draft.objects}
        editor={editor}
        onReadAgain={isDirty(draft) || open.isBusy ? null : () => void open.readAgain()}
      />
      <PhotoFacts photo={photo} onRestore={(version) => void open.restore(version)} />
      {editor.canEdit && <KeyHelp />}
    </aside>
  );
}

/** Why labels are only to look at, or were not saved. */
function Troubles({ data, photo, draft, open }: Omit<WorkplaceProps, "place">) {
  const text = useText();
  const isStale = draft.version !== photo.version;
  if (open.conflict || isStale) {
    return (
      <div class="panel conflict" role="alert">
        <h2>{text("data.conflict")}</h2>
        <p>{open.conflict || text("data.stale")}</p>
        <button type="button" onClick={() => void open.reload()}>
          {text("data.loadAgain")}
        </button>
      </div>
    );
  }
  if (photo.correcting.code === "") return null;
  return (
    <div class="panel">
      <h2>{text("data.notHere")}</h2>
      <p>{obstacleText(photo.correcting, data.path, text)}</p>
    </div>
  );
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as const;

function keysOf(editor: Editor, classes: string[], place: Place | null, save: () => void): Keys {
  const keys: Record<string, () => void> = { n: () => place?.onGo(1), p: () => place?.onGo(-1) };
  if (!editor.canEdit) return keys;
  classes.slice(0, 9).forEach((name, index) => {
    keys[String(index + 1)] = () => editor.setClass(name);
  });
  if (editor.object) {
    for (const [key, [x, y]] of Object.entries(STEPS)) {
      keys[key] = () => editor.move(x, y);
      keys[`Shift+${key}`] = () => editor.move(10 * x, 10 * y);
      keys[`Alt+${key}`] = () => editor.stretch(x, y);
      keys[`Shift+Alt+${key}`] = () => editor.stretch(10 * x, 10 * y);
    }
  }
  const others = {
    v: () => editor.setTool("select"),
    b: () => editor.setTool("box"),
    g: () => editor.setTool("polygon"),
    Escape: () => (editor.tool === "select" ? editor.select(null) : editor.setTool("select")),
    Delete: () => editor.remove(),
    Backspace: () => editor.remove(),
    "Ctrl+z": editor.undo,
    "Ctrl+Shift+z": editor.redo,
    "Ctrl+y": editor.redo,
    "Ctrl+s": save,
  };
  return { ...keys, ...others };
}
