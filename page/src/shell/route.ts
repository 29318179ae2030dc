import { createStore } from "./store";

/** Where the page is: the name of a view, and the rest of the address. */
export interface Route {
  view: string;
  rest: string;
}

/** #/data/digits/7 is the view "data" with the rest "digits/7". */
export function routeOf(hash: string): Route {
  const path = hash.replace(/^#?\/?/, "");
  const slash = path.indexOf("/");
  return slash < 0 ? { view: path, rest: "" } : { view: path.slice(0, slash), rest: path.slice(slash + 1) };
}

export const hash = createStore(location.hash);
addEventListener("hashchange", () => hash.set(location.hash));

/** The parts of the rest of an address: "my%20photos/7" has the parts "my photos" and "7". */
export function partsOf(rest: string): string[] {
  return rest.split("/").map(decodeURIComponent);
}

/** The address of a view. */
export function linkTo(view: string, rest = ""): string {
  return rest ? `#/${view}/${rest}` : `#/${view}`;
}

/** Open a view, or change the rest of its address. replace: without a step in the browser's history */
export function go(view: string, rest = "", replace = false): void {
  const target = linkTo(view, rest);
  if (replace) {
    history.replaceState(null, "", target);
    hash.set(target);
  } else {
    location.hash = target;
  }
}
