import { useEffect, useRef, useState } from "preact/hooks";
import type { Photo } from "./predictions";

interface Photos {
  photos: readonly Photo[];
  /** The one that is shown. */
  current: Photo | undefined;
  add: (files: readonly File[]) => void;
  choose: (photo: Photo) => void;
  remove: (photo: Photo) => void;
}

/** The photos that the user has given. They stay in this browser; their addresses are given back at the end. */
export function usePhotos(): Photos {
  const [photos, setPhotos] = useState<readonly Photo[]>([]);
  const [chosen, setChosen] = useState<Photo>();
  const nextId = useRef(0);
  const all = useRef(photos);
  all.current = photos;
  useEffect(() => () => all.current.forEach(release), []);
  const add = (files: readonly File[]) => {
    const added = files.map((file) => ({ id: nextId.current++, file, url: URL.createObjectURL(file) }));
    setPhotos((before) => [...before, ...added]);
    setChosen(added[0]);
  };
  const remove = (photo: Photo) => {
    const index = photos.indexOf(photo);
    const rest = photos.filter((each) => each !== photo);
    setPhotos(rest);
    setChosen((now) => (now === photo ? (rest[index] ?? rest[index - 1]) : now));
    release(photo);
  };
  return { photos, current: chosen, add, choose: setChosen, remove };
}

function release({ url }: Photo): void {
  URL.revokeObjectURL(url);
}
