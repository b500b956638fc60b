// The state of a view is in the address, so that it can be kept, shared and gone back from.

const changed = new EventTarget();

// What the address says of `key`, or `otherwise`.
export const read = (key, otherwise = null) => new URLSearchParams(location.search).get(key) ?? otherwise;

// A list that the address has for `key`: its values are separated by commas; a comma in a value is doubled.
export function readList(key) {
  const text = read(key, "");
  if (text === "") return [];
  return text.replaceAll(",,", "\u0000").split(",").map((part) => part.replaceAll("\u0000", ","));
}

export const listText = (values) => values.map((value) => String(value).replaceAll(",", ",,")).join(",");

// Changes some keys; null removes one. `push` makes a step to go back to.
export function write(changes, { push = false } = {}) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === false || value?.length === 0) query.delete(key);
    else query.set(key, Array.isArray(value) ? listText(value) : value === true ? "1" : String(value));
  }
  const text = query.toString();
  const to = `${location.pathname}${text ? `?${text}` : ""}`;
  if (to === location.pathname + location.search) return;
  history[push ? "pushState" : "replaceState"](null, "", to);
  changed.dispatchEvent(new Event("change"));
}

// Goes to another page.
export function go(to) {
  history.pushState(null, "", to);
  changed.dispatchEvent(new Event("change"));
}

// Calls `work` when the address has changed, from here or by the browser.
export function onChange(work) {
  changed.addEventListener("change", work);
  addEventListener("popstate", work);
}
