import { useState } from "preact/hooks";
import { createZoom, type ZoomStore, zoomTo } from "../../parts/zoom";
import type { Photo } from "./api";
import type { Tool } from "./drawing";
import {
  type Box,
  change,
  type Draft,
  type EditObject,
  exchange,
  moveBy,
  moveHandle,
  newObject,
  redo,
  undo,
} from "./edits";

/** The tools on a photo, and what they do to its objects. */
export interface Editor {
  tool: Tool;
  setTool: (tool: Tool) => void;
  selected: number | null;
  object: EditObject | undefined;
  select: (key: number | null) => void;
  newClass: string;
  setClass: (name: string) => void;
  zoom: ZoomStore;
  canEdit: boolean;
  replace: (object: EditObject) => void;
  draw: (shape: Pick<EditObject, "kind" | "box" | "rings">) => void;
  addBox: () => void;
  remove: () => void;
  move: (dx: number, dy: number) => void;
  stretch: (dx: number, dy: number) => void;
  undo: () => void;
  redo: () => void;
  look: (box: Box) => void;
}

const BOTTOM_RIGHT = 4; // of the handles of a box

let lastClass = ""; // for the next photo

interface State {
  tool: Tool;
  selected: number | null;
  newClass: string;
}

export function useEditor(
  photo: Photo,
  draft: Draft,
  edit: (draft: Draft) => void,
  classes: string[],
): Editor {
  const first = classes.includes(lastClass) ? lastClass : (classes[0] ?? "");
  const [state, setState] = useState<State>({ tool: "select", selected: null, newClass: first });
  const [zoom] = useState(createZoom);
  const set = (part: Partial<State>) => setState((before) => ({ ...before, ...part }));
  const canEdit = photo.correcting.shapes.length > 0 && draft.version === photo.version;
  const object = draft.objects.find((each) => each.key === state.selected);
  return {
    ...state,
    object,
    zoom,
    canEdit,
    setTool: (tool) => canEdit && set({ tool, ...(tool !== "select" && { selected: null }) }),
    select: (selected) => set({ selected }),
    look: (box) => zoom.set(zoomTo(box, photo, { width: 800, height: 600 })),
    ...corrections({ photo, draft, edit: canEdit ? edit : () => {}, state, set, object }),
  };
}

interface Context {
  photo: Photo;
  draft: Draft;
  edit: (draft: Draft) => void;
  state: State;
  set: (part: Partial<State>) => void;
  object: EditObject | undefined;
}

function corrections({ photo, draft, edit, state, set, object }: Context) {
  const { width, height } = photo;
  const replace = (changed: EditObject) => edit(change(draft, exchange(draft.objects, changed)));
  const draw: Editor["draw"] = (shape) => {
    const added = newObject(state.newClass, shape);
    edit(change(draft, [...draft.objects, added]));
    set({ selected: added.key, tool: "select" });
  };
  const setClass = (newClass: string) => {
    lastClass = newClass;
    set({ newClass });
    if (object && object.className !== newClass) replace({ ...object, className: newClass });
  };
  const remove = () => {
    if (object) edit(change(draft, draft.objects.toSpliced(draft.objects.indexOf(object), 1)));
  };
  return {
    replace,
    draw,
    setClass,
    remove,
    addBox: () => draw({ kind: "box", box: middleBox(width, height), rings: [] }),
    move: (dx: number, dy: number) => object && replace(moveBy(object, dx, dy, width, height)),
    stretch: (dx: number, dy: number) => object && replace(stretched(object, dx, dy, width, height)),
    undo: () => edit(undo(draft)),
    redo: () => edit(redo(draft)),
  };
}

/** A box in the middle of the photo, for keyboards, which then move it. */
function middleBox(width: number, height: number): Box {
  const round = (value: number) => Math.round(value);
  return [round(width * 0.4), round(height * 0.4), round(width * 0.6), round(height * 0.6)];
}

function stretched(object: EditObject, dx: number, dy: number, width: number, height: number): EditObject {
  if (object.kind !== "box" || !object.box) return object;
  const [x1, y1, x2, y2] = object.box;
  const x = Math.min(width, Math.max(x1 + 2, x2 + dx));
  const y = Math.min(height, Math.max(y1 + 2, y2 + dy));
  return moveHandle(object, BOTTOM_RIGHT, [x, y]);
}
