// Following a press of the mouse, a pen or a finger until it ends, wherever it goes.

// Calls `move(event)` while it moves and `done()` at its end.
export function follow(move, done) {
  const end = () => {
    removeEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) removeEventListener(name, end);
    done();
  };
  addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, end);
}
