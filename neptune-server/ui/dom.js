// Making elements. What was logged reaches a page as text only, so that nothing in it can become markup.

// h("div.card", {title: "..."}, child, ...) makes an element. Children are elements, text, numbers, arrays of these, or nothing.
// An attribute that begins with `on` is a listener; one that is true or false is there or not; one that is null is left out.
export function h(name, attributes, ...children) {
  if (attributes === null || typeof attributes !== "object" || attributes instanceof Node || Array.isArray(attributes)) {
    children.unshift(attributes);
    attributes = {};
  }
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(element.style, value);
    else if (key in element && (key === "value" || key === "checked" || key === "indeterminate")) element[key] = value;
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

// Replaces everything in an element.
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

// Calls `work` at most once per frame, with the arguments of the last call.
export function perFrame(work) {
  let waiting = null;
  return (...values) => {
    if (waiting === null) requestAnimationFrame(() => { const last = waiting; waiting = null; work(...last); });
    waiting = values;
  };
}

// Calls `work` once nothing has called for `wait` milliseconds.
export function settled(wait, work) {
  let timer = 0;
  return (...values) => { clearTimeout(timer); timer = setTimeout(() => work(...values), wait); };
}

const sheets = new Map();

// Loads a style sheet once; done when its rules hold.
export function css(href) {
  if (!sheets.has(href)) {
    sheets.set(href, new Promise((done) => {
      document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done }));
    }));
  }
  return sheets.get(href);
}
