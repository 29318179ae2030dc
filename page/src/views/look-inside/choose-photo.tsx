import { useId } from "preact/hooks";
import { Dropzone } from "../../parts/dropzone";
import { useText } from "../../shell/text";
import type { Session } from "./session";

/** The model, and the photo. */
export function ChoosePhoto({ session }: { session: Session }) {
  const { setPhoto, shown } = session;
  return (
    <div class="look-choose">
      <ModelChoice session={session} />
      <Dropzone isSmall={shown !== null} onPhotos={([file]) => file && setPhoto({ file, name: file.name })} />
    </div>
  );
}

function ModelChoice({ session }: { session: Session }) {
  const text = useText();
  const { models, model, setModel } = session;
  const id = useId();
  return (
    <div class="row">
      <label for={id}>{text("look-inside.model")}</label>
      <select
        id={id}
        value={model?.name ?? ""}
        onChange={(event) => {
          const found = models.find((each) => each.name === event.currentTarget.value);
          if (found) setModel(found);
        }}
      >
        {models.map(({ name, method }) => (
          <option key={name} value={name}>
            {name === method ? name : `${name} (${method})`}
          </option>
        ))}
      </select>
    </div>
  );
}
