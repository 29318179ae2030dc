import en from "../../messages/en.json";
import type { Text } from "../../shell/text";
import type { DataSet } from "./api";

type Code = keyof typeof en.data.obstacles;

/** Why labels cannot be corrected, in the language of the page; the server's sentence if it has no other. */
export function obstacleText({ code, message }: DataSet["correcting"], data: string, text: Text): string {
  return code in en.data.obstacles ? text(`data.obstacles.${code as Code}`, { data }) : message;
}
