// Asks before a running experiment is asked to end, and for the reason that is kept with it.

import { post } from "./api.js";
import { h } from "./dom.js";
import { attempt, say } from "./notice.js";

export function confirmAbort(page) {
  const reason = h("input", { type: "text", placeholder: "why, for those who look later", "aria-label": "reason" });
  const dialog = h("dialog.ask", { "aria-label": "Abort" }, h("form", { method: "dialog", onsubmit: (event) => close(event) },
    h("h2", `Abort ${page.id}?`),
    h("p", "The processes that log to it on this machine are asked to end. They end when they come to it, and it is marked as aborted."),
    h("label.wide", "Reason", reason),
    h("div.tools", h("button.main", { value: "abort" }, "abort it"), h("button", { value: "", type: "button", onclick: () => dialog.close() }, "let it run"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  reason.focus();

  async function close(event) {
    event.preventDefault();
    dialog.close();
    const asked = await attempt(() => post(page.path("/abort"), { reason: reason.value.trim() }));
    if (asked === undefined) return;
    const count = asked.processes;
    if (count === 0) say("no process on this machine logs to it; abort it where it runs", true);
    else say(`${count} ${count === 1 ? "process was" : "processes were"} asked to end`);
  }
}
