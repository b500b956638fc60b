// What is done to many experiments at once: compare, tag, trash, restore, export.

import { experimentPath, get, patch, post } from "./api.js";
import { fill, h } from "./dom.js";
import { attempt, say } from "./notice.js";
import { go, listText } from "./state.js";
import { csvText } from "./runs-cells.js";

// Rows of one request of an export.
const AT_ONCE = 2000;
const NAMED = 12;
// The most experiments that are compared in one picture: their ids are in the address, which has an end.
const COMPARED = 2000;

// `ids()` are the experiments that it is about, `changed(areGone)` is called when something was done to them.
export function bulkBar({ ids, changed, exportRows }) {
  const count = h("span.dim");
  const compare = h("a.button", { title: "Side by side (c)" }, "Compare");
  const tag = h("button", { onclick: () => askTag(ids(), changed) }, "Add tag");
  const trash = h("button", { onclick: () => askTrash(ids(), changed) }, "Trash");
  const restore = h("button", { onclick: () => attempt(() => each(ids(), (id) => post(experimentPath(id, "/restore"))), "restored").then(() => changed(true)) }, "Restore");
  const csv = h("button", { title: "These rows and the columns that are shown, as CSV", onclick: () => exportRows(ids()) }, "CSV");
  const element = h("div.tools.bulk", { role: "toolbar", "aria-label": "Experiments in the charts" }, count, compare, tag, trash, restore, csv);
  return {
    element,
    show(chosen, isTrash) {
      count.textContent = `${chosen.length} in the charts`;
      compare.href = compareAddress(chosen);
      compare.hidden = isTrash || chosen.length < 2;
      tag.hidden = trash.hidden = isTrash || chosen.length === 0;
      restore.hidden = !isTrash || chosen.length === 0;
      csv.hidden = chosen.length === 0;
    },
  };
}

export const compareAddress = (ids) => `/compare?${new URLSearchParams({ ids: listText(ids) })}`;

// Goes to the picture of all experiments of a query, in parallel coordinates.
export async function compareAll({ project, filter, sort }) {
  const { total, rows } = await get("/experiments", { project, filter, sort, limit: COMPARED });
  go(`${compareAddress(rows.map(({ id }) => id))}&view=parallel`);
  if (total > rows.length) say(`these are the first ${rows.length} of ${total}; a query says which`);
}

async function each(ids, work) { for (const id of ids) await work(id); }

const named = (ids) => (ids.length <= NAMED ? ids.join(", ") : `${ids.slice(0, NAMED).join(", ")} and ${ids.length - NAMED} more`);

function ask(title, ids, field, verb, work) {
  const dialog = h("dialog.ask", { "aria-label": title, onclose: () => dialog.remove() });
  const done = async (event) => {
    event.preventDefault();
    dialog.close();
    await work();
  };
  fill(dialog, h("h2", title), h("p", named(ids)), h("form", { onsubmit: done }, field,
    h("div.tools", h("button.main", { type: "submit" }, verb), h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
}

function askTag(ids, changed) {
  const field = h("input", { type: "text", required: true, "aria-label": "Tag", placeholder: "tag" });
  ask(`Add a tag to ${ids.length}`, ids, field, "Add", async () => {
    const tags = [field.value.trim()].filter(Boolean);
    await attempt(() => each(ids, (id) => patch(experimentPath(id), { add_tags: tags })), "tagged");
    changed();
  });
}

function askTrash(ids, changed) {
  ask(`Put ${ids.length} into the trash?`, ids, h("p.dim", "They can be restored from the trash."), "Trash", async () => {
    await attempt(() => each(ids, (id) => post(experimentPath(id, "/trash"))), "in the trash");
    changed(true);
  });
}

// Saves the rows of a query, or those with `ids`, with these columns.
export async function saveCsv(name, { project, filter, sort }, columns, ids = []) {
  const lines = [["id", ...columns]];
  for (let offset = 0, total = 1; offset < total; offset += AT_ONCE) {
    const answer = await get("/experiments", { project, filter, sort, column: columns, id: ids, limit: AT_ONCE, offset });
    total = answer.total;
    for (const row of answer.rows) lines.push([row.id, ...row.cells.map(csvText)]);
  }
  const text = lines.map((cells) => cells.map(field).join(",")).join("\r\n");
  const address = URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" }));
  h("a", { href: address, download: `${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
