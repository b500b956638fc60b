// Short messages at the edge of the page, for what a button did or could not do.

import { h } from "./dom.js";

export function say(text, isBad = false) {
  const notice = h(isBad ? "div.bad" : "div", text);
  document.getElementById("notices").append(notice);
  setTimeout(() => notice.remove(), isBad ? 10000 : 4000);
}

// Runs what a button does, and tells of what goes wrong.
export async function attempt(work, done = null) {
  try {
    const result = await work();
    if (done !== null) say(done);
    return result;
  } catch (error) {
    say(error.message, true);
    return undefined;
  }
}
