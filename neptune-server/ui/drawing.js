// Within the frame of a figure (src/drawing.rs): draws what the page around it sends with plotly.js, and tells how that went.
//
// The figure is somebody else's. This runs in an origin of its own, which may ask nobody for anything.

(() => {
  const HEIGHT = 480;
  // Not what the figure says of it: buttons and links of plotly lead elsewhere, and a frame cannot save files.
  const SETTINGS = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["toImage"] };
  const place = document.getElementById("figure");
  let figure = null;
  let told = "";

  const tell = (state, more = {}) => parent.postMessage({ state, ...more }, "*");
  const isRecord = (it) => it !== null && typeof it === "object" && !Array.isArray(it);
  const record = (it) => (isRecord(it) ? it : {});

  // A figure of what was sent, or an error that says what it is not.
  function read(text) {
    let read = null;
    try { read = JSON.parse(text); } catch (error) { throw new Error(`it is not JSON: ${error.message}`); }
    if (!Array.isArray(read?.data)) throw new Error("it is JSON without a list `data`, which holds the traces of a figure");
    if (!read.data.every(isRecord)) throw new Error("what is in its list `data` are not all objects");
    const { width, height, ...layout } = record(read.layout);
    return { data: read.data, layout, frames: Array.isArray(read.frames) ? read.frames : [], height: Number.isFinite(height) ? height : HEIGHT };
  }

  // What `over` says, and what `under` says besides.
  function merged(under, over) {
    const both = { ...under, ...over };
    for (const key of Object.keys(both)) if (isRecord(under[key]) && isRecord(over[key])) both[key] = merged(under[key], over[key]);
    return both;
  }

  // The layout in the colours of the page: in the dark instead of those of the figure's template, else where it has none. What the
  // figure itself says is always as it says.
  function themed(layout, { isDark, ground, line, text }) {
    const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, tickcolor: line };
    const wall = { ...axis, backgroundcolor: ground };
    const ours = { paper_bgcolor: ground, plot_bgcolor: ground, font: { color: text }, xaxis: axis, yaxis: axis,
      polar: { bgcolor: ground, angularaxis: axis, radialaxis: axis }, ternary: { bgcolor: ground, aaxis: axis, baxis: axis, caxis: axis },
      scene: { xaxis: wall, yaxis: wall, zaxis: wall } };
    const template = record(layout.template);
    const theirs = record(template.layout);
    return { ...layout, autosize: true, template: { ...template, layout: isDark ? merged(theirs, ours) : merged(ours, theirs) } };
  }

  async function draw(theme) {
    const { data, layout, frames, height } = figure;
    document.body.style.background = theme.ground;
    await Plotly.react(place, { data, layout: themed(layout, theme), frames, config: SETTINGS });
    tell("drawn", { height });
  }

  addEventListener("message", async ({ source, data: { text, theme } }) => {
    if (source !== parent) return;
    try {
      if (text !== undefined) figure = read(text);
      if (figure !== null) await draw(theme);
    } catch (error) {
      tell("wrong", { message: error?.message ?? String(error) });
    }
  });

  // A label may hold links; following them from here leads nowhere.
  for (const kind of ["click", "auxclick"]) {
    addEventListener(kind, (event) => { if (event.target.closest?.("a")) event.preventDefault(); }, true);
  }

  document.addEventListener("securitypolicyviolation", ({ blockedURI }) => {
    if (told === blockedURI) return;
    told = blockedURI;
    tell("refused", { message: blockedURI });
  });

  tell("ready");
})();
