// The time line as two plots above each other: bytes, and scalars. Arrow keys go from point to point.
function makeTimeline() {
  const line = data.timeline;
  const card = byId("timeline");
  const plot = card.querySelector(".plot");
  const note = card.querySelector(".note");
  const times = line.timeNs;
  if (times.length < 2) {
    note.textContent = times.length ? "One point only: the program was over too soon for a line." : "Nothing recorded.";
    return;
  }
  const SERIES = [
    { key: "live", label: "Live heap", values: line.liveBytes, unit: "bytes", on: true },
    { key: "resident", label: "Resident set (RSS)", values: line.residentBytes, unit: "bytes", on: true },
    { key: "size", label: "Virtual size", values: line.sizeBytes, unit: "bytes", on: false },
    { key: "scalars", label: "Live scalars", values: line.scalars, unit: "scalars", on: true },
  ];
  const NS = "http://www.w3.org/2000/svg";
  const LEFT = 68;
  const RIGHT = 10;
  const first = times[0];
  const span = Math.max(times[times.length - 1] - first, 1);

  const svg = (name, attributes, text) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Round values up to the highest, a few of them.
  function ticks(highest, unit) {
    const base = unit === "bytes" ? 1024 ** Math.max(0, Math.floor(Math.log2(Math.max(highest, 1)) / 10)) : 1;
    const rough = highest / base / 4;
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
    const step = [1, 2, 2.5, 5, 10].map((of) => of * power).find((of) => of >= rough) * base;
    const list = [];
    for (let value = 0; value <= highest + step * 1e-6; value += step) list.push(value);
    return list;
  }

  let cursor = -1;
  let width = 0;
  const across = (ns) => LEFT + ((ns - first) / span) * (width - LEFT - RIGHT);

  function panel(series, top, height) {
    const group = svg("g", {});
    const highest = Math.max(1, ...series.flatMap((one) => one.values));
    const up = (value) => top + height - (value / highest) * height;
    for (const value of ticks(highest, series[0].unit)) {
      group.append(svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: up(value), y2: up(value) }));
      const text = series[0].unit === "bytes" ? bytesText(value) : countText(value);
      group.append(svg("text", { class: "tick", x: LEFT - 8, y: up(value) + 4, "text-anchor": "end" }, text));
    }
    for (const one of series) {
      const path = one.values.map((value, i) => `${i ? "L" : "M"}${across(times[i]).toFixed(1)},${up(value).toFixed(1)}`).join("");
      group.append(svg("path", { class: `series s-${one.key}`, d: path }));
    }
    return { group, up };
  }

  function draw() {
    width = plot.clientWidth;
    if (width === 0) return;
    const bytes = SERIES.filter((one) => one.on && one.unit === "bytes");
    const scalars = SERIES.filter((one) => one.on && one.unit === "scalars");
    const drawing = svg("svg", { width, height: 10, "aria-hidden": "true" });
    let top = 14;
    let panels = [];
    for (const [series, height] of [[bytes, 170], [scalars, 80]]) {
      if (!series.length) continue;
      const drawn = panel(series, top, height);
      panels.push([series, drawn.up]);
      drawing.append(drawn.group);
      if (series === bytes && bytes.some((one) => one.key === "live") && line.peakBytes > 0) {
        const x = across(Math.min(Math.max(line.peakTimeNs, first), first + span));
        drawing.append(svg("circle", { class: "peak", cx: x, cy: Math.max(drawn.up(line.peakBytes), top), r: 4 }));
      }
      top += height + 22;
    }
    const bottom = top - 22;
    for (const ns of line.markTimeNs) {
      const x = across(ns);
      drawing.append(svg("line", { class: "mark", x1: x, x2: x, y1: 8, y2: bottom }));
      drawing.append(svg("path", { class: "mark-head", d: `M${x - 4},2h8l-4,7z` }));
    }
    for (const value of ticks(span / 1e9, "seconds")) {
      const x = across(first + value * 1e9);
      drawing.append(svg("text", { class: "tick", x, y: bottom + 18, "text-anchor": "middle" }, `${+value.toPrecision(6)} s`));
    }
    if (cursor >= 0) {
      const x = across(times[cursor]);
      drawing.append(svg("line", { class: "cursor", x1: x, x2: x, y1: 8, y2: bottom }));
      for (const [series, up] of panels) {
        for (const one of series) drawing.append(svg("circle", { class: `dot s-${one.key}`, cx: x, cy: up(one.values[cursor]), r: 3.5 }));
      }
    }
    drawing.setAttribute("height", bottom + 24);
    plot.replaceChildren(drawing);
  }

  const reading = element("p", { class: "reading", role: "status" });
  function read() {
    const parts = SERIES.filter((one) => one.on).map((one) => `${one.label.toLowerCase()} ${figure(one.values[cursor], one.unit)[0]}`);
    const at = line.markTimeNs.includes(times[cursor]) ? "At a mark, " : "At ";
    reading.textContent = `${at}${secondsText(times[cursor])}: ${parts.join(", ")}`;
  }
  function point(at) {
    cursor = Math.max(0, Math.min(times.length - 1, at));
    draw();
    read();
  }

  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-label", "Time line; arrow keys read it point by point");
  plot.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 };
    if (event.key in moves) point(cursor + moves[event.key]);
    else if (event.key === "Home") point(0);
    else if (event.key === "End") point(times.length - 1);
    else return;
    event.preventDefault();
  });
  plot.addEventListener("pointermove", (event) => {
    const ns = first + ((event.clientX - plot.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT)) * span;
    let nearest = times.findIndex((time) => time >= ns);
    if (nearest < 0) nearest = times.length - 1;
    if (nearest > 0 && ns - times[nearest - 1] < times[nearest] - ns) nearest -= 1;
    if (nearest !== cursor) point(nearest);
  });

  const legend = element("div", { class: "legend" });
  for (const one of SERIES) {
    const box = element("input", { type: "checkbox", checked: one.on });
    box.addEventListener("change", () => {
      one.on = box.checked;
      draw();
    });
    legend.append(element("label", {}, box, element("i", { class: `key s-${one.key}` }), one.label));
  }
  const notes = [`The dot is the peak of the live heap: ${bytesText(line.peakBytes)} at ${secondsText(line.peakTimeNs)}.`];
  const drawn = line.markTimeNs.length;
  if (drawn) {
    const some = drawn < line.marksInAll ? `, ${countText(drawn)} of ${countText(line.marksInAll)}` : "";
    notes.push(`Triangles are snapshots taken at marks${some}.`);
  }
  if (times.length < line.pointsInAll) notes.push(`${countText(times.length)} of ${countText(line.pointsInAll)} points are drawn, the highest and the lowest among them.`);
  notes.push("Resident set and virtual size are the whole process's, the profiler included.");
  note.textContent = notes.join(" ");
  plot.before(legend);
  plot.after(reading);
  new ResizeObserver(draw).observe(plot);
}

