// Paths as a tree of namespaces.

// The tree of things that have a `path`, which are sorted by it. A node has `path`, `name`, `depth`, `size` (how many things are within)
// and either `children` or the thing as `variable`.
export function treeOf(things, pathOf = ({ path }) => path) {
  const root = { path: "", name: "", depth: -1, size: 0, isNamespace: true, children: new Map() };
  for (const thing of things) {
    const parts = pathOf(thing).split("/");
    let node = root;
    node.size += 1;
    for (let at = 0; at < parts.length - 1; at += 1) {
      const key = `${parts[at]}/`;
      let next = node.children.get(key);
      if (next === undefined) {
        next = { path: parts.slice(0, at + 1).join("/"), name: parts[at], depth: at, size: 0, isNamespace: true, children: new Map() };
        node.children.set(key, next);
      }
      next.size += 1;
      node = next;
    }
    node.children.set(parts.at(-1), { path: pathOf(thing), name: parts.at(-1), depth: parts.length - 1, size: 1, isNamespace: false, variable: thing });
  }
  return root;
}

// The nodes that are seen when the namespaces that `isOpen` are open, from top to bottom.
export function flat(root, isOpen) {
  const rows = [];
  const visit = (node) => {
    for (const child of node.children.values()) {
      rows.push(child);
      if (child.isNamespace && isOpen(child)) visit(child);
    }
  };
  visit(root);
  return rows;
}
