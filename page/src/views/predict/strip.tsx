import { useText } from "../../shell/text";
import type { Photo } from "./predictions";

interface Props {
  photos: readonly Photo[];
  current: Photo;
  onChoose: (photo: Photo) => void;
  onRemove: (photo: Photo) => void;
}

/** The photos as small pictures, of which one is shown. */
export function Strip({ photos, current, onChoose, onRemove }: Props) {
  const text = useText();
  return (
    <ul class="strip" aria-label={text("predict.photos")}>
      {photos.map((photo) => (
        <li key={photo.id} class={photo === current ? "current" : ""}>
          <button
            type="button"
            class="thumbnail"
            aria-current={photo === current}
            aria-label={photo.file.name}
            title={photo.file.name}
            onClick={() => onChoose(photo)}
          >
            <img src={photo.url} alt="" loading="lazy" />
          </button>
          <button
            type="button"
            class="remove"
            aria-label={text("predict.remove", { name: photo.file.name })}
            title={text("predict.remove", { name: photo.file.name })}
            onClick={() => onRemove(photo)}
          >
            <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
