// The source of one file at a time, with figures beside every line that has any. A file may have 40,000 lines: rows are
// made when they come near the window.
function makeSource() {
  const { shown, leftOut } = sources;
  const hidden = leftOut.flatMap(({ why, files }) => files.map((file) => `${strings[file]}: ${why}`));
  const picker = byId("file");
  const place = byId("source-lines");
  const ROWS_AT_ONCE = 200;
  const ROW = 20;
  const COLUMNS = [
    { key: "allocated", heading: "allocated", bytes: true },
    { key: "inclusive", heading: "inclusive", bytes: true },
    { key: "live", heading: "live", bytes: true },
    { key: "peak", heading: "at peak", bytes: true },
    { key: "scalars", heading: "net scalars", bytes: false },
    { key: "calls", heading: "calls", bytes: false },
  ];
  let current = null;
  let fill = null;

  shown.forEach((source, at) => {
    const whole = source.allocated.reduce((sum, bytes) => sum + bytes, 0);
    picker.append(element("option", { value: at, text: `${strings[source.file]} (${bytesText(whole)} allocated)` }));
  });
  if (!shown.length) {
    byId("source-note").hidden = false;
    byId("source-note").textContent = "No file of the program could be read.";
    place.hidden = true;
  }
  if (hidden.length) {
    byId("no-source").append(element("details", {},
      element("summary", { text: `${countText(hidden.length)} ${hidden.length === 1 ? "file is" : "files are"} not shown` }),
      element("ul", {}, ...hidden.map((text) => element("li", { text })))));
  }

  function figureCell(source, at, { key, bytes }, highest) {
    const value = at === undefined ? 0 : source[key][at];
    if (!value) return element("td", { class: key });
    const made = element("td", {
      class: `${key} ${value < 0 ? "less" : "bar-cell"}`,
      text: bytes ? bytesText(value) : countText(value),
      title: bytes ? exactBytes(value) : null,
    });
    made.style.setProperty("--share", `${(100 * Math.abs(value)) / highest[key]}%`);
    return made;
  }

  function show(source) {
    current = source;
    picker.value = shown.indexOf(source);
    const name = strings[source.file];
    const note = byId("source-note");
    note.hidden = !source.changed;
    note.textContent = "This file was changed after the program was started: its lines may have moved.";
    const hottest = source.line.map((line, at) => ({ line, bytes: source.allocated[at] }))
      .filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes).slice(0, 8);
    byId("hottest").replaceChildren("Lines that allocate most: ", ...hottest.flatMap(({ line, bytes }, at) => [
      at ? ", " : "", element("a", { href: rowLink("source", name, line), text: line }), ` (${bytesText(bytes)})`,
    ]));

    const figures = new Map(source.line.map((line, at) => [line, at]));
    const highest = Object.fromEntries(COLUMNS.map(({ key }) => [key, source[key].reduce((most, value) => Math.max(most, Math.abs(value)), 1)]));
    const texts = source.text.split("\n");
    const row = (text, index) => {
      const line = index + 1;
      const at = figures.get(line);
      const number = at === undefined ? `${line}` : element("a", { href: rowLink("lines", name, line), text: line });
      const cells = COLUMNS.map((column) => figureCell(source, at, column, highest));
      return element("tr", { "data-line": line }, element("th", { scope: "row" }, number), ...cells,
        element("td", { class: "code" }, element("code", { text })));
    };
    const heads = COLUMNS.map(({ key, heading }) => element("th", { scope: "col", class: `figure ${key}`, text: heading }));
    const table = element("table", { class: "source" }, element("thead", {}, element("tr", {},
      element("th", { scope: "col", class: "line", text: "line" }), ...heads, element("th", { scope: "col", class: "code", text: name }))));
    const waiting = new Map();
    for (let first = 0; first < texts.length; first += ROWS_AT_ONCE) {
      const last = Math.min(first + ROWS_AT_ONCE, texts.length);
      const space = element("td");
      space.style.height = `${(last - first) * ROW}px`;
      const body = element("tbody", {}, element("tr", {}, space));
      waiting.set(body, () => body.replaceChildren(...texts.slice(first, last).map((text, at) => row(text, first + at))));
      table.append(body);
    }
    const make = (body) => {
      waiting.get(body)?.();
      waiting.delete(body);
      watcher.unobserve(body);
    };
    const watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) make(entry.target);
    }, { root: place, rootMargin: "600px" });
    for (const body of waiting.keys()) watcher.observe(body);
    fill = (line) => {
      const body = table.tBodies[Math.floor((line - 1) / ROWS_AT_ONCE)];
      if (body) make(body);
    };
    place.replaceChildren(table);
    place.scrollTop = 0;
  }

  picker.addEventListener("change", () => {
    location.hash = rowLink("source", strings[shown[picker.value].file], 0);
  });

  return {
    // Shows a line, as `FILE:LINE`; says if the file is there.
    focus(key) {
      const colon = key.lastIndexOf(":");
      const line = Number(key.slice(colon + 1));
      const source = shown.find((one) => strings[one.file] === key.slice(0, colon));
      if (!source) return false;
      if (source !== current) show(source);
      place.querySelector(".focused")?.classList.remove("focused");
      fill(line);
      const row = place.querySelector(`[data-line="${line}"]`);
      if (row) {
        row.classList.add("focused");
        place.scrollTop = row.offsetTop - place.clientHeight / 2;
      }
      return true;
    },
    showFirst() {
      if (!current && shown.length) show(shown[0]);
    },
  };
}

