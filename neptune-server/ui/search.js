// Searching among names: `train & !grad|norm` finds what has the first and not the second. Each part is a regular expression
// that ignores case, or, where it is none, plain text.

export function matcher(text) {
  const parts = text.split(" & ").flatMap((part) => part.split(/&(?=!)/)).map((part) => part.trim()).filter((part) => part !== "" && part !== "!");
  const tests = parts.map((part) => {
    const isNot = part.startsWith("!");
    const has = finder(isNot ? part.slice(1).trim() : part);
    return (name) => has(name) !== isNot;
  });
  return (name) => tests.every((test) => test(name));
}

function finder(pattern) {
  try {
    const expression = new RegExp(pattern, "i");
    return (name) => expression.test(name);
  } catch {
    const plain = pattern.toLowerCase();
    return (name) => name.toLowerCase().includes(plain);
  }
}
