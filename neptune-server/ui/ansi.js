// Text with the colours that terminals show, as elements: escape sequences that are no colours are left out, and nothing becomes markup.

import { h } from "./dom.js";

// A sequence: CSI with its parameters and final byte; a string such as a title or a link, up to its end; or two characters.
const SEQUENCE = /\u001b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[ -/]*[0-~])?/g;
// What is left of control characters, but for tab and the end of a line.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

const ON = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reversed", 9: "strike" };
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["reversed"], 29: ["strike"] };

// The text as a list of strings and spans. `each` may make something else of the plain pieces.
export function coloured(text, each = (piece) => piece) {
  if (!text.includes("\u001b")) return [each(text.replace(CONTROL, ""))];
  const pieces = [];
  let style = {};
  let from = 0;
  const add = (piece) => { if (piece !== "") pieces.push(span(style, each(piece.replace(CONTROL, "")))); };
  for (const found of text.matchAll(SEQUENCE)) {
    add(text.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[2] === "m") style = after(style, found[1].split(/[;:]/).map(Number));
  }
  add(text.slice(from));
  return pieces;
}

// The text without its escape sequences.
export const plain = (text) => text.replace(SEQUENCE, "").replace(CONTROL, "");

function after(style, codes) {
  let now = { ...style };
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) now = {};
    else if (code in ON) now[ON[code]] = true;
    else if (code in OFF) for (const name of OFF[code]) delete now[name];
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes.slice(at + 1));
      now[code === 38 ? "color" : "ground"] = color;
      at += used;
    } else if (code === 39) delete now.color;
    else if (code === 49) delete now.ground;
    else if (code >= 30 && code <= 37) now.color = named(code - 30);
    else if (code >= 40 && code <= 47) now.ground = named(code - 40);
    else if (code >= 90 && code <= 97) now.color = named(code - 82);
    else if (code >= 100 && code <= 107) now.ground = named(code - 92);
  }
  return now;
}

const named = (place) => `var(--ansi-${place})`;
const byte = (value) => Math.max(0, Math.min(255, Math.trunc(value) || 0));

// `5;N` is one of 256 colours, `2;R;G;B` is any; and how many codes that took.
function extended(codes) {
  if (codes[0] === 2) return [`rgb(${byte(codes[1])} ${byte(codes[2])} ${byte(codes[3])})`, 4];
  if (codes[0] !== 5) return [undefined, 0];
  const place = byte(codes[1]);
  if (place < 16) return [named(place), 2];
  if (place >= 232) { const gray = (place - 232) * 10 + 8; return [`rgb(${gray} ${gray} ${gray})`, 2]; }
  const level = (part) => (part === 0 ? 0 : part * 40 + 55);
  const cube = place - 16;
  return [`rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`, 2];
}

function span(style, content) {
  const { color, ground, reversed, ...others } = style;
  const classes = Object.keys(others).map((name) => `ansi-${name}`).join(".");
  if (classes === "" && !color && !ground && !reversed) return content;
  const element = h(classes === "" ? "span" : `span.${classes}`, content);
  const [front, back] = reversed ? [ground ?? "var(--ground)", color ?? "var(--text)"] : [color, ground];
  if (front) element.style.color = front;
  if (back) element.style.background = back;
  return element;
}
