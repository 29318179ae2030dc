import { useCallback, useEffect, useState } from "preact/hooks";
import { showError } from "../../shell/notices";
import { type DataSet, describe, readAgain } from "./api";

const WHILE_READING = 500; // milliseconds
const WHILE_CHECKING = 2000;

export interface OpenDataSet {
  data: DataSet | null;
  /** Ask the server now. */
  refresh: () => void;
  readAgain: () => void;
  set: (data: DataSet) => void;
}

/** A data set; while the server reads it, it is asked for again and again. */
export function useDataSet(name: string): OpenDataSet {
  const [data, setData] = useState<DataSet | null>(null);
  const [turn, setTurn] = useState(0);
  const state = data?.reading.state;
  useEffect(() => {
    let isCurrent = true;
    describe(name)
      .then((found) => isCurrent && setData(found))
      .catch(showError);
    return () => {
      isCurrent = false;
    };
  }, [name, turn]);
  useEffect(() => {
    if (state !== "reading" && state !== "checking") return;
    const timer = setTimeout(
      () => setTurn((count) => count + 1),
      state === "reading" ? WHILE_READING : WHILE_CHECKING,
    );
    return () => clearTimeout(timer);
  }, [state, data]);
  const refresh = useCallback(() => setTurn((count) => count + 1), []);
  const again = useCallback(() => void readAgain(name).then(setData).catch(showError), [name]);
  return { data, refresh, readAgain: again, set: setData };
}
