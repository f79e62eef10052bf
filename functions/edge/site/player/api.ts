// The academy's API, by the cookies that the browser keeps.

/** An answer that is none of success: the problem's slug (RFC 9457), and the status. */
export class Refused extends Error {
  constructor(readonly status: number, readonly slug: string) {
    super(`${status} ${slug}`);
  }
}

/** Asks once more with a new access token where the old one has expired. */
export async function ask<T>(path: string, body?: unknown, keepalive = false): Promise<T> {
  let answer = await send(path, body, keepalive);
  if (answer.status === 401 && (await send("/api/v1/auth/refresh", {})).ok) {
    answer = await send(path, body, keepalive);
  }
  const told = await answer.json();
  if (!answer.ok) {
    throw new Refused(answer.status, String(told.type ?? "").split("/").pop() ?? "");
  }
  return told as T;
}

function send(path: string, body?: unknown, keepalive = false): Promise<Response> {
  const init: RequestInit = { headers: { "akademi-tokens": "cookies" }, keepalive };
  if (body !== undefined) {
    init.method = "POST";
    init.headers = { ...init.headers, "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  return fetch(path, init);
}
