// The header of an experiment: its name and tags, which are edited in place, its state, its times, and what can be done with it.

import { address, patch, post } from "./api.js";
import { fill, h } from "./dom.js";
import * as format from "./format.js";
import { keyed, whenChanged, write } from "./keyed.js";
import { attempt } from "./notice.js";
import { confirmAbort } from "./experiment-abort.js";
import { styleOf } from "./palette.js";

export function heading(page) {
  const name = h("h1.name");
  const stateWord = h("span.state");
  const tags = h("span.tags");
  const times = h("span.times.dim");
  const buttons = h("span.buttons");
  const trashed = h("div.banner", { hidden: true }, "This experiment is in the trash. ",
    h("button", { onclick: () => attempt(() => page.act(() => post(page.path("/restore"))), "restored") }, "restore"));
  const mark = h("span.mark", { "aria-hidden": "true" });
  const element = h("header.experiment-head", trashed,
    h("div.line", mark, h("code.id", { title: page.experiment.uuid }, page.id), name, stateWord, h("span.space"), buttons),
    h("div.line", tags, h("span.space"), times));
  const created = h("span");
  const lasted = h("span");
  fill(times, created, lasted);
  let askedAt = performance.now();

  function color() { mark.style.background = styleOf(page.id).color; }
  addEventListener("themechange", color);
  const tick = setInterval(showTimes, 1000);

  function showTimes() {
    const { experiment } = page;
    const isRunning = experiment.state === "running";
    if (experiment.created !== null) write(created, `created ${format.age(experiment.created)}`, fullTime(experiment.created));
    const seconds = experiment.running_time + (isRunning ? (performance.now() - askedAt) / 1000 : 0);
    const ended = experiment.finished === null || isRunning ? "it runs" : `ended ${fullTime(experiment.finished)}`;
    write(lasted, `${isRunning ? "running for" : "ran"} ${format.duration(isRunning ? Math.floor(seconds) : seconds)}`, `${seconds} s; ${ended}`);
  }

  function changed() {
    const { experiment } = page;
    askedAt = performance.now();
    trashed.hidden = !experiment.is_trashed;
    whenChanged(name, experiment.name, () => { if (!name.isEdited) showName(name, page); });
    stateWord.dataset.state = experiment.state ?? "none";
    write(stateWord, experiment.state ?? "never ran", experiment.failure ?? "");
    whenChanged(tags, experiment.tags, () => showTags(tags, page));
    whenChanged(buttons, [experiment.state, experiment.is_trashed, experiment.has_artifacts, experiment.has_sources], () => fill(buttons, actions(page)));
    showTimes();
  }

  color();
  changed();
  return { element, changed, close() { clearInterval(tick); removeEventListener("themechange", color); } };
}

const fullTime = (micros) => `${format.time(micros)} (${format.utc(micros)})`;

function showName(place, page) {
  const { name } = page.experiment;
  place.isEdited = false;
  fill(place, h(name === null ? "span.cut.dim" : "span.cut", { title: name ?? "" }, name ?? "no name"),
    h("button.bare", { "aria-label": "edit the name", title: "Edit the name", onclick: () => editName(place, page) }, "\u270e"));
}

function editName(place, page) {
  place.isEdited = true;
  const field = h("input", { type: "text", value: page.experiment.name ?? "", "aria-label": "name", maxlength: 4096 });
  let isDone = false;
  async function finish(isKept) {
    if (isDone) return;
    isDone = true;
    const text = field.value.trim();
    if (isKept && text !== (page.experiment.name ?? "")) await attempt(() => page.act(() => patch(page.path(), { name: text })), "the name is changed");
    showName(place, page);
    place.querySelector("button")?.focus();
  }
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") finish(true);
    if (event.key === "Escape") { event.stopPropagation(); finish(false); }
  });
  field.addEventListener("blur", () => finish(true));
  fill(place, field);
  field.select();
}

function showTags(place, page) {
  if (place.field === undefined) {
    place.field = h("input.new-tag", { type: "text", placeholder: "+ tag", "aria-label": "add a tag", size: 8 });
    place.field.addEventListener("keydown", (event) => {
      const text = place.field.value.trim();
      if (event.key !== "Enter" || text === "") return;
      place.field.value = "";
      attempt(() => page.act(() => patch(page.path(), { add_tags: [text] })));
    });
    place.list = h("span.tags");
    fill(place, place.list, place.field);
  }
  const remove = (tag) => attempt(() => page.act(() => patch(page.path(), { remove_tags: [tag] })));
  keyed(place.list, page.experiment.tags, (tag) => tag, (tag) => h("span.tag", { title: tag }, h("span.cut", tag),
    h("button.bare", { "aria-label": `remove the tag ${tag}`, onclick: () => remove(tag) }, "\u00d7")));
}

function actions(page) {
  const { experiment } = page;
  const download = (what) => h("a.button", {
    href: address(page.path("/zip"), { what }), download: true, title: `Download all ${what} as one ZIP file`,
  }, "\u2193 ", what);
  return [
    experiment.state === "running" && h("button.danger", { onclick: () => confirmAbort(page) }, "abort\u2026"),
    experiment.has_artifacts && download("artifacts"), experiment.has_sources && download("sources"),
    !experiment.is_trashed && h("button", {
      title: "Puts it into the trash, from which it can be restored", disabled: experiment.state === "running",
      onclick: () => attempt(() => page.act(() => post(page.path("/trash"))), "it is in the trash"),
    }, "trash"),
  ];
}
