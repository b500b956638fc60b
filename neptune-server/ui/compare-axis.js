// What can be done with one axis, by the keyboard as well: brush it by its ends, move it, remove it, colour by it.

import { h } from "./dom.js";

// The most words that an end is chosen from.
const WORDS = 500;

// `actions`: brush({ low, high, below } or null), move(by), remove(), color(), log().
export function axisDialog(axis, brush, below, actions) {
  const dialog = h("dialog.ask.axis", { "aria-label": `Axis ${axis.label}`, onclose: () => dialog.remove() });
  const done = (work) => () => { dialog.close(); work(); };
  const [low, high] = [end("From", brush?.low, 0), end("To", brush?.high, axis.words.length - 1)];
  const boxes = below.map(({ name, text }) => [name, h("input", { type: "checkbox", checked: brush?.below.includes(name) ?? false }), text]);

  function end(label, value, otherwise) {
    if (axis.kind === "text") return h("select", { "aria-label": label, value: null }, [h("option", { value: "" }, "nothing"), ...axis.words.slice(0, WORDS).map((text, place) => h("option", { value: String(place), selected: text === (value ?? (brush ? null : axis.words[otherwise])) }, text.slice(0, 80)))]);
    return h("input", { type: "number", step: "any", "aria-label": label, value: value ?? "", placeholder: axis.isEmpty ? "" : String(label === "From" ? axis.least : axis.greatest) });
  }

  const valueOf = (field, otherwise) => (axis.kind === "text" ? (field.value === "" ? null : axis.words[Number(field.value)]) : field.value === "" ? otherwise : Number(field.value));

  function apply(event) {
    event.preventDefault();
    const places = boxes.filter(([, box]) => box.checked).map(([name]) => name);
    // Only what is below the axis is meant where nothing else was written.
    const isBelow = axis.isEmpty || (axis.kind !== "text" && places.length > 0 && low.value === "" && high.value === "");
    const range = isBelow ? { low: null, high: null } : { low: valueOf(low, axis.least), high: valueOf(high, axis.greatest) };
    done(() => actions.brush({ ...range, below: places }))();
  }

  dialog.append(h("h2", axis.label), h("form", { onsubmit: apply }, !axis.isEmpty && h("div.tools.ends", h("label", "from", low), h("label", "to", high)),
    boxes.map(([, box, text]) => h("label", box, text)),
    h("div.tools", h("button.main", { type: "submit" }, "Brush"), h("button", { type: "button", disabled: brush === undefined, onclick: done(() => actions.brush(null)) }, "Clear brush")),
    h("div.tools", axis.canLog && h("button", { type: "button", onclick: done(actions.log) }, axis.isLog ? "Linear" : "Logarithmic"),
      h("button", { type: "button", onclick: done(actions.color) }, "Colour by this"), h("button", { type: "button", onclick: done(() => actions.move(-1)) }, "Move left"),
      h("button", { type: "button", onclick: done(() => actions.move(1)) }, "Move right"), h("button", { type: "button", onclick: done(actions.remove) }, "Remove"),
      h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
}
