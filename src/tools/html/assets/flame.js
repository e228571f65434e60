// The call tree as an icicle on a canvas: a page holds up to 50,000 frames, which are too many elements. Only the frames
// that can be seen are visited. Widths are inclusive; of a metric that can be negative, what gave back is as wide as what
// took; of a diff, all are: own is how much more there is than before.
function makeFlame(onChange) {
  const ROW = 21;
  const LEAST_WIDTH = 0.6;
  const { depth, name, file, line, calls, own, before, folded } = data.tree;
  const count = depth.length;
  const box = byId("flame");
  const room = byId("flame-room");
  const canvas = room.querySelector("canvas");
  const context = canvas.getContext("2d");

  // end[i]: the first row that is no longer below row i.
  const parent = new Int32Array(count).fill(-1);
  const end = new Int32Array(count);
  const open = [];
  for (let i = 0; i < count; i += 1) {
    while (open.length > depth[i]) end[open.pop()] = i;
    if (open.length) parent[i] = open[open.length - 1];
    open.push(i);
  }
  while (open.length) end[open.pop()] = count;

  let metric = 0;
  let root = 0;
  let selected = 0;
  let drawn = [];
  let most = 8;
  let matches = null;
  const sum = new Float64Array(count);    // inclusive
  const was = new Float64Array(count);    // of a diff: inclusive, before
  const weight = new Float64Array(count); // inclusive, without sign: what widths are
  const left = new Float64Array(count);   // from 0 to 1, of the whole

  function measure() {
    for (let i = count - 1; i >= 0; i -= 1) {
      sum[i] = own[metric][i];
      was[i] = before ? before.own[metric][i] : 0;
      weight[i] = Math.abs(own[metric][i]);
      for (let child = i + 1; child < end[i]; child = end[child]) {
        sum[i] += sum[child];
        was[i] += was[child];
        weight[i] += weight[child];
      }
    }
    const whole = weight[0] || 1;
    for (let i = 0; i < count; i += 1) {
      let at = left[i];
      for (let child = i + 1; child < end[i]; child = end[child]) {
        left[child] = at;
        at += weight[child] / whole;
      }
    }
  }

  const label = (i) => {
    if (name[i] !== null) return strings[name[i]];
    return folded[i] === 1 ? "… 1 call folded" : `… ${countText(folded[i])} calls folded`;
  };
  const place = (i) => (file[i] === null ? "" : `${strings[file[i]]}:${line[i]}`);

  // Frames of a package have the same colour; what is no sub, as the main program, has none.
  const hues = new Map();
  function hue(i) {
    if (!hues.has(name[i])) {
      const text = strings[name[i]];
      if (text.startsWith("(")) return 0;
      const of = text.startsWith("require ") ? "require" : text.slice(0, Math.max(0, text.lastIndexOf("::")));
      let hash = 7;
      for (let at = 0; at < of.length; at += 1) hash = (hash * 31 + of.charCodeAt(at)) >>> 0;
      hues.set(name[i], 1 + (hash % 8));
    }
    return hues.get(name[i]);
  }

  let palette;
  function readPalette() {
    palette = {};
    for (const key of ["text", "background", "folded", "narrow", "match", "on-match", "selected", "more", "less", "even"]) {
      palette[key] = colour(`--flame-${key}`);
    }
    palette.hue = [palette.even, ...[1, 2, 3, 4, 5, 6, 7, 8].map((at) => colour(`--flame-${at}`))];
  }

  function fill(i) {
    if (matches && matches[i]) return palette.match;
    if (name[i] === null) return palette.folded;
    if (isSigned(data.metrics[metric]) && i > 0) return sum[i] > 0 ? palette.more : sum[i] < 0 ? palette.less : palette.even;
    return palette.hue[hue(i)];
  }

  function draw() {
    const width = box.clientWidth;
    if (width === 0) return;
    layOut(width);
    const height = box.clientHeight;
    const scale = window.devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = palette.background;
    context.fillRect(0, 0, width, height);
    context.font = `12px ${getComputedStyle(box).fontFamily}`;
    context.textBaseline = "middle";
    const top = box.scrollTop;
    for (const frame of drawn) {
      const y = frame.row * ROW - top;
      if (y > height || y + ROW < 0) continue;
      drawFrame(frame, y);
    }
  }

  function drawFrame({ i, x, width }, y) {
    if (i < 0) {
      context.fillStyle = palette.narrow;
      context.fillRect(x, y, width, ROW - 1);
      return;
    }
    context.globalAlpha = matches && !matches[i] ? 0.35 : 1;
    context.fillStyle = fill(i);
    context.fillRect(x, y, Math.max(width - 0.6, 0.6), ROW - 1);
    if (width > 30) {
      context.fillStyle = matches && matches[i] ? palette["on-match"] : palette.text;
      context.fillText(cut(label(i), width - 8), x + 4, y + ROW / 2);
    }
    context.globalAlpha = 1;
    if (i === selected) {
      context.strokeStyle = palette.selected;
      context.lineWidth = 2;
      context.strokeRect(x + 1, y + 1, Math.max(width - 2.6, 1), ROW - 3);
    }
  }

  // The end of a Perl name says more than its beginning.
  function cut(text, width) {
    if (context.measureText(text).width <= width) return text;
    const whole = text.length;
    let low = 0;
    let high = whole;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (context.measureText(`…${text.slice(whole - middle)}`).width <= width) low = middle;
      else high = middle - 1;
    }
    return low > 2 ? `…${text.slice(whole - low)}` : "";
  }

  // Which frames are seen, and where: the callers of the root, it, and what is below it and wide enough.
  function layOut(width) {
    drawn = [];
    const above = [];
    for (let i = parent[root]; i >= 0; i = parent[i]) above.unshift(i);
    above.forEach((i, row) => drawn.push({ i, row, x: 0, width }));
    const share = weight[root] / (weight[0] || 1);
    const scale = share > 0 ? width / share : 0;
    let rows = above.length + 1;
    for (let i = root; i < end[root];) {
      const wide = i === root ? width : (weight[i] / (weight[0] || 1)) * scale;
      const x = i === root ? 0 : (left[i] - left[root]) * scale;
      const row = above.length + depth[i] - depth[root];
      if (wide < LEAST_WIDTH) {
        const last = drawn[drawn.length - 1];
        if (last.i < 0 && last.row === row && x - (last.x + last.width) < 0.1) last.width = x + wide - last.x;
        else if (wide > 0) drawn.push({ i: -1, row, x, width: wide });
        i = end[i];
        continue;
      }
      drawn.push({ i, row, x, width: wide });
      rows = Math.max(rows, row + 1);
      i += 1;
    }
    room.style.height = `${rows * ROW}px`;
    // Never lower than it was: what is below should not jump about.
    most = Math.max(most, rows);
    box.style.height = `${most * ROW + 2}px`;
  }

  function frameAt(event) {
    const { left: x0, top: y0 } = box.getBoundingClientRect();
    const x = event.clientX - x0 - box.clientLeft;
    const row = Math.floor((event.clientY - y0 - box.clientTop + box.scrollTop) / ROW);
    const hit = drawn.find((frame) => frame.i >= 0 && frame.row === row && x >= frame.x && x < frame.x + Math.max(frame.width, 1));
    return hit ? hit.i : -1;
  }

  const unit = () => data.metrics[metric].unit;
  function describe(i) {
    const shown = before ? difference : figure;
    const [all, exactAll] = shown(sum[i], unit());
    const [self, exactSelf] = shown(own[metric][i], unit());
    return {
      name: label(i),
      place: place(i),
      calls: name[i] === null || i === 0 ? null : calls[i],
      share: weight[0] ? percentText(weight[i] / weight[0]) : "0 %",
      all, exactAll, self, exactSelf,
      allBefore: before ? both(was[i], sum[i], unit()) : "",
      selfBefore: before ? both(before.own[metric][i], own[metric][i], unit()) : "",
      callsBefore: before ? before.calls[i] : null,
      sub: name[i] === null || i === 0 ? null : strings[name[i]],
      file: file[i] === null ? null : strings[file[i]],
      line: line[i],
    };
  }

  function select(i, zoom) {
    selected = i;
    if (zoom && name[i] !== null) root = i;
    draw();
    scrollTo(i);
    onChange();
  }

  function scrollTo(i) {
    const frame = drawn.find((drawnFrame) => drawnFrame.i === i);
    if (!frame) return;
    if (frame.row * ROW < box.scrollTop) box.scrollTop = frame.row * ROW;
    else if ((frame.row + 1) * ROW > box.scrollTop + box.clientHeight) box.scrollTop = (frame.row + 1) * ROW - box.clientHeight;
  }

  // Goes to the nearest frame on screen in a direction.
  function step(key) {
    const seen = drawn.filter((frame) => frame.i >= 0);
    const here = seen.find((frame) => frame.i === selected) || seen[0];
    const inRow = (row) => seen.filter((frame) => frame.row === row);
    let next;
    if (key === "ArrowUp") next = seen.find((frame) => frame.i === parent[here.i]);
    if (key === "ArrowDown") {
      next = inRow(here.row + 1).filter((frame) => parent[frame.i] === here.i || frame.i === root)
        .reduce((best, frame) => (best && best.width >= frame.width ? best : frame), undefined);
    }
    const row = inRow(here.row);
    const at = row.indexOf(here);
    if (key === "ArrowLeft") next = row[at - 1];
    if (key === "ArrowRight") next = row[at + 1];
    if (next) select(next.i, false);
  }

  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) step(event.key);
    else if (event.key === "Enter" || event.key === " ") select(selected, true);
    else if (event.key === "Escape") select(Math.max(parent[root], 0), true);
    else if (event.key === "Home") select(0, true);
    else return;
    event.preventDefault();
  });
  box.addEventListener("click", (event) => {
    const i = frameAt(event);
    if (i >= 0) select(i, true);
  });
  box.addEventListener("pointermove", (event) => {
    const i = frameAt(event);
    box.classList.toggle("pointing", i >= 0);
    if (i < 0) return hideTip();
    const of = describe(i);
    return showTip([
      of.name,
      ...(of.place ? [`called in ${of.place}`] : []),
      `inclusive ${of.exactAll} (${of.share})${of.allBefore}`,
      `self ${of.exactSelf}${of.selfBefore}`,
      ...(of.calls === null ? [] : [callsText(of.calls, of.callsBefore)]),
    ], event.clientX, event.clientY);
  });
  box.addEventListener("pointerleave", hideTip);
  box.addEventListener("scroll", () => requestAnimationFrame(draw));
  new ResizeObserver(draw).observe(box);

  readPalette();
  measure();

  return {
    draw,
    recolour() { readPalette(); draw(); },
    setMetric(index) { metric = index; measure(); draw(); onChange(); },
    // Marks the frames whose name holds a text, in capitals or not; `exact`: is it. Returns how many, and their share.
    search(text, exact) {
      const wanted = text.toLowerCase();
      const fits = (whole) => (exact ? whole === text : whole.toLowerCase().includes(wanted));
      const hits = text === "" ? null : strings.map(fits);
      matches = hits && name.map((of, i) => i > 0 && of !== null && hits[of]);
      draw();
      if (!matches) return null;
      let frames = 0;
      let matched = 0;
      for (let i = 0, covered = 0; i < count; i += 1) {
        if (!matches[i]) continue;
        frames += 1;
        // What is below another match is counted there.
        if (i < covered) continue;
        matched += weight[i];
        covered = end[i];
      }
      return { frames, share: weight[0] ? matched / weight[0] : 0 };
    },
    selected: () => ({ ...describe(selected), isRoot: root === 0 }),
    reset: () => select(0, true),
    metric: () => data.metrics[metric],
    framesDrawn: () => drawn.filter((frame) => frame.i >= 0).length,
  };
}

