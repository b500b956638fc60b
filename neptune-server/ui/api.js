// Talking to the server: /api/v1, which /api/v1/openapi.json describes.

export class Problem extends Error {
  constructor(message, status) { super(message); this.status = status; }
}

// The answer to a GET. A parameter may be an array, which repeats it; null and "" are left out.
export async function get(path, parameters = {}, signal = undefined) {
  return answer(await fetch(address(path, parameters), { signal }));
}

export async function post(path, body = {}, signal = undefined) { return send("POST", path, body, signal); }
export async function patch(path, body) { return send("PATCH", path, body); }

// The address of a GET, for links and images.
export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") query.append(key, String(one));
    }
  }
  const text = query.toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

// The path of an experiment, for the functions above.
export const experimentPath = (id, rest = "") => `/experiments/${encodeURIComponent(id)}${rest}`;

async function send(method, path, body, signal) {
  const headers = { "content-type": "application/json" };
  return answer(await fetch(`/api/v1${path}`, { method, headers, body: JSON.stringify(body), signal }));
}

// The text at an address, as it is.
export async function textAt(url, signal = undefined) { return right(await fetch(url, { signal })); }

async function answer(response) {
  const text = await right(response);
  return text === "" ? null : JSON.parse(text);
}

// The text of an answer that is none of an error.
async function right(response) {
  const text = await response.text();
  if (response.ok) return text;
  let message = text || response.statusText;
  try { message = JSON.parse(text).error ?? message; } catch { /* not JSON: as it is */ }
  throw new Problem(message, response.status);
}

// A number as the API writes it: what JSON cannot say is a word.
export function number(value) {
  if (typeof value === "number") return value;
  return { NaN: NaN, inf: Infinity, "-inf": -Infinity }[value] ?? NaN;
}
