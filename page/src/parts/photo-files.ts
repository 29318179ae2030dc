/** The files that the user gives, apart from what is no photo. */
export interface Given {
  photos: File[];
  others: string[];
}

/** The suffixes that the server reads; browsers do not name the type of all of them. */
const SUFFIXES = /\.(jpe?g|jfif|png|webp|bmp|tiff?|gif|heic|heif|avif)$/i;

/** Sort out what was dropped, pasted or chosen. */
export function sortOut(files: Iterable<File>): Given {
  const given: Given = { photos: [], others: [] };
  for (const file of files) {
    if (file.type.startsWith("image/") || SUFFIXES.test(file.name)) given.photos.push(file);
    else given.others.push(file.name);
  }
  return given;
}
