import createClient from "openapi-fetch";
import { createStore } from "../shell/store";
import type { components, paths } from "./schema";

/** The types of the server's bodies, by name: `Schema<"Offer">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** A refusal of the server, with its sentence. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds after which it may work. */
    readonly retryAfter: number | null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Whether the server has refused a request for want of its token. */
export const needsToken = createStore(false);

/** The address of a path of the API, for pictures and links. The server may be mounted below a path. */
export function addressOf(path: string): string {
  return new URL(path.replace(/^\//, ""), document.baseURI).href;
}

/**
 * The routes of the server, with the types of its OpenAPI description.
 *
 *     const { models } = await ok(api.GET("/v1/models"));
 */
export const api = createClient<paths>({
  baseUrl: new URL(".", document.baseURI).href.replace(/\/$/, ""),
  fetch: (request) => fetch(request),
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer. Throws ApiError if the server refuses. */
export async function ok<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw refusal(response, error);
  return data as T;
}

/** The error of a refused request. body: what the server answered, decoded if it was JSON */
export function refusal(response: Response, body: unknown): ApiError {
  if (response.status === 401) needsToken.set(true);
  const found = (body as { error?: { code?: string; message?: string } } | undefined)?.error;
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ApiError(
    response.status,
    found?.code ?? "failed",
    found?.message ?? `${response.status} ${response.statusText}`,
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}
