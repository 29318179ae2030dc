import "./parts.css";

interface Props {
  /** What is going on. */
  label: string;
  /** 0 to 1; null while nobody knows. */
  value: number | null;
  /** Behind the label: "12 of 40", "3 minutes left". */
  note?: string;
}

/** How far some work is. */
export function ProgressBar({ label, value, note }: Props) {
  return (
    <div class="progress">
      <div class="row">
        <span>{label}</span>
        {note && <span class="soft">{note}</span>}
      </div>
      {value === null ? (
        <progress aria-label={label} />
      ) : (
        <progress aria-label={label} max={1} value={value} />
      )}
    </div>
  );
}
