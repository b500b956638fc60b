// Rows that stay themselves while what they show changes, so that nothing jumps and what is selected stays selected.

// Makes the children of `parent` one for each item, in their order. The element of a key that stays is kept; `update` brings it up to date.
export function keyed(parent, items, key, make, update) {
  const known = parent.keyed ?? new Map();
  const wanted = new Map();
  for (const item of items) {
    const name = key(item);
    const element = known.get(name) ?? make(item);
    update?.(element, item);
    wanted.set(name, element);
  }
  for (const [name, element] of known) if (!wanted.has(name)) element.remove();
  let place = 0;
  for (const element of wanted.values()) {
    if (parent.children[place] !== element) parent.insertBefore(element, parent.children[place] ?? null);
    place += 1;
  }
  parent.keyed = wanted;
}

// Writes a text and its title only where they differ from what is there.
export function write(element, text, title = null) {
  if (element.textContent !== text) element.textContent = text;
  if (title !== null && element.title !== title) element.title = title;
}

// Calls `build` only when what it shows, as JSON, is not what it was at the last call for this element.
export function whenChanged(element, shown, build) {
  const now = JSON.stringify(shown);
  if (element.shown === now) return;
  element.shown = now;
  build(element);
}
