import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useText } from "../shell/text";
import { listenToGestures, onZoomKey, sizeOf, zoomIn, zoomOut } from "./gestures";
import { createZoom, type Placement, place, type Size, WHOLE, type ZoomStore } from "./zoom";
import "./photo-view.css";

interface Props {
  /** The photo's size in pixels. The stage, which holds the children, has this size. */
  photo: Size;
  /** What the frame shows, for screen readers. */
  label: string;
  /** Given if several frames show the same part. */
  zoom?: ZoomStore | undefined;
  /** Whether dragging moves the photo. An editor that draws by dragging says no; fingers still pinch. */
  pan?: boolean | undefined;
  /** Called when the photo is moved: for what lies over the stage. */
  onPlace?: ((placement: Placement) => void) | undefined;
  /** Inside the stage, scaled with the photo. */
  children: ComponentChildren;
  /** Over the stage, not scaled. */
  over?: ComponentChildren;
}

/** A frame in which a photo, and what is drawn in its pixels, is zoomed and moved. */
export function ZoomFrame({ photo, label, zoom: given, pan = true, onPlace, children, over }: Props) {
  const own = useMemo(createZoom, []);
  const zoom = given ?? own;
  const frame = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  usePlacement(frame, stage, zoom, photo, onPlace);
  useGestures(frame, zoom, photo, pan);

  const view = () => ({ frame: frame.current as HTMLDivElement, zoom, photo });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys repeat what the buttons do
    <div class="zoom-frame" ref={frame} onKeyDown={(event) => onZoomKey(event, view())}>
      {/* biome-ignore lint/a11y/useSemanticElements: no field set, but what the keys act on */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the photo */}
      <div class="zoom-focus" tabIndex={0} role="group" aria-label={label}>
        <div
          class="zoom-stage"
          ref={stage}
          style={{ width: `${photo.width}px`, height: `${photo.height}px` }}
        >
          {children}
        </div>
        {over}
      </div>
      <ZoomButtons
        onIn={() => zoomIn(view())}
        onOut={() => zoomOut(view())}
        onWhole={() => zoom.set(WHOLE)}
      />
    </div>
  );
}

type Frame = RefObject<HTMLDivElement | null>;

/** Move the stage when the zoom or the size of the frame changes. */
function usePlacement(
  frame: Frame,
  stage: Frame,
  zoom: ZoomStore,
  photo: Size,
  onPlace: Props["onPlace"],
): void {
  const latest = useRef(onPlace);
  latest.current = onPlace;
  const { width, height } = photo;
  useLayoutEffect(() => {
    const element = frame.current as HTMLDivElement;
    const update = () => {
      const placement = place(zoom.get(), { width, height }, sizeOf(element));
      const { scale, left, top } = placement;
      if (stage.current) stage.current.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
      element.style.setProperty("--scale", String(scale));
      element.style.touchAction = zoom.get().scale > 1 ? "none" : "pan-y";
      latest.current?.(placement);
    };
    const observer = new ResizeObserver(update);
    observer.observe(element);
    const end = zoom.subscribe(update);
    update();
    return () => {
      observer.disconnect();
      end();
    };
  }, [frame, stage, zoom, width, height]);
}

function useGestures(frame: Frame, zoom: ZoomStore, photo: Size, pan: boolean): void {
  const latest = useRef(pan);
  latest.current = pan;
  const { width, height } = photo;
  useEffect(() => {
    const element = frame.current as HTMLDivElement;
    return listenToGestures({ frame: element, zoom, photo: { width, height }, canPan: () => latest.current });
  }, [frame, zoom, width, height]);
}

interface ButtonsProps {
  onIn: () => void;
  onOut: () => void;
  onWhole: () => void;
}

function ZoomButtons({ onIn, onOut, onWhole }: ButtonsProps) {
  const text = useText();
  const buttons = [
    [text("parts.zoomIn"), "+", onIn],
    [text("parts.zoomOut"), "−", onOut],
    [text("parts.zoomWhole"), "⤢", onWhole],
  ] as const;
  return (
    <div class="zoom-buttons">
      {buttons.map(([name, sign, act]) => (
        <button key={sign} type="button" title={name} aria-label={name} onClick={act}>
          <span aria-hidden="true">{sign}</span>
        </button>
      ))}
    </div>
  );
}
