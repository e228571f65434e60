// A table of a report: sorted by a click on a heading, filtered by a text, with columns to choose from.
const FIRST_ROWS = 200;

const sourceFiles = new Set(sources.shown.map((source) => strings[source.file]));

function makeTable(container, table) {
  const { heads, columns, view } = table;
  const count = columns.length ? columns[0].length : 0;
  const column = new Map(heads.map((head, at) => [head.key, at]));
  const isText = (at) => heads[at].kind === "text" || heads[at].kind === "word";
  // What a row is of comes first, what else there is to say of it last.
  const title = heads.findIndex((head, at) => isText(at) && head.shown === "always");
  const rank = (at) => (at === title || heads[at].key === "class" ? 0 : isText(at) ? 2 : 1);
  const order = heads.map((head, at) => at).sort((a, b) => rank(a) - rank(b));
  const chosen = new Set(order.filter((at) => ["always", "spare"].includes(heads[at].shown)));
  const highest = columns.map((values, at) => (isText(at) ? 0 : values.reduce((most, value) => Math.max(most, Math.abs(value || 0)), 0)));

  let sorted = { at: table.sort === null ? -1 : column.get(table.sort), descending: true };
  let rows = [...Array(count).keys()];
  let wanted = "";
  let limit = FIRST_ROWS;
  let focused = -1;

  const raw = (row, key) => {
    const at = column.get(key);
    if (at === undefined) return null;
    const value = columns[at][row];
    return isText(at) && value !== null ? strings[value] : value;
  };
  // How much more there is than before?
  const compares = (at) => heads[at].key.startsWith("difference_");
  const text = (row, at) => {
    const value = columns[at][row];
    if (value === null) return "–";
    if (compares(at)) return `${value > 0 ? "+" : ""}${heads[at].kind === "bytes" ? bytesText(value) : countText(value)}`;
    switch (heads[at].kind) {
      case "bytes": return bytesText(value);
      case "count": return countText(value);
      case "share": return percentText(value);
      case "time": return secondsText(value);
      default: return strings[value];
    }
  };
  // What other views call a row.
  function rowKey(row) {
    const single = ["name", "class", "module"].map((key) => raw(row, key)).find((value) => value !== null);
    if (single !== undefined) return single;
    const line = ["line", "new_line", "old_line"].map((key) => raw(row, key)).find((value) => value !== null) ?? null;
    return line === null ? raw(row, "file") : `${raw(row, "file")}:${line}`;
  }

  function linkOf(row, key) {
    const [file, line] = [raw(row, "file"), raw(row, "line")];
    const source = file && sourceFiles.has(file) ? rowLink("source", file, line || 0) : null;
    switch (key) {
      case "name":
      case "shown_name": return view === "subs" ? filterLink("tree", raw(row, "name")) : rowLink("subs", raw(row, "name"));
      case "sub":
      case "shown_sub": return raw(row, "sub") ? rowLink("subs", raw(row, "sub")) : null;
      case "location":
        if (source || !file) return source;
        return view === "lines" ? rowLink("files", file) : rowLink("lines", file, line);
      case "file":
      case "shown_file": return source || (file ? filterLink("lines", `${file}:`) : null);
      case "class":
      case "module": return raw(row, key).startsWith("(") ? null : filterLink("subs", `${raw(row, key)}::`);
      default: return null;
    }
  }

  function arrange() {
    const words = wanted.toLowerCase();
    const texts = order.filter(isText);
    const passes = (row) => texts.some((at) => columns[at][row] !== null && strings[columns[at][row]].toLowerCase().includes(words));
    rows = [...Array(count).keys()];
    if (words) rows = rows.filter(passes);
    if (sorted.at < 0) return;
    const values = columns[sorted.at];
    const sign = sorted.descending ? -1 : 1;
    const compare = isText(sorted.at)
      ? (a, b) => (strings[values[a]] < strings[values[b]] ? -1 : strings[values[a]] > strings[values[b]] ? 1 : 0)
      : (a, b) => (values[a] === null ? -Infinity : values[a]) - (values[b] === null ? -Infinity : values[b]);
    rows.sort((a, b) => sign * compare(a, b) || a - b);
  }

  function sortBy(at) {
    const again = sorted.at === at;
    sorted = { at, descending: again ? !sorted.descending : !isText(at) };
    limit = FIRST_ROWS;
    arrange();
    show();
  }

  const headRow = element("tr");
  const body = element("tbody");
  const counted = element("span", { class: "counted", role: "status" });
  const more = element("button", { type: "button", class: "more" });
  const filter = element("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  const picker = element("details", { class: "columns" }, element("summary", { text: "Columns" }));

  function showHeads() {
    headRow.replaceChildren(...order.filter((at) => chosen.has(at)).map((at) => {
      const state = sorted.at === at ? (sorted.descending ? "descending" : "ascending") : "none";
      const button = element("button", { type: "button", text: heads[at].heading.replaceAll("_", " ") });
      button.addEventListener("click", () => {
        sortBy(at);
        headRow.querySelector(`[data-key="${heads[at].key}"] button`).focus();
      });
      return element("th", {
        scope: "col", class: `${heads[at].kind} ${heads[at].shown}`, "aria-sort": state, "data-key": heads[at].key,
      }, button);
    }));
  }

  function cell(row, at) {
    const { key, kind, shown } = heads[at];
    const value = columns[at][row];
    const made = element("td", { class: `${kind} ${shown}` });
    let shownText = text(row, at);
    if (key === "file" && raw(row, "line")) shownText += `:${raw(row, "line")}`;
    const href = linkOf(row, key);
    const parts = kind === "text" ? breakable(shownText) : [shownText];
    made.append(...(href && shownText ? [element("a", { href }, ...parts)] : parts));
    if (kind === "bytes" && value !== null) made.title = exactBytes(value);
    if (!isText(at) && highest[at] > 0 && value) {
      made.style.setProperty("--share", `${(100 * Math.abs(value)) / highest[at]}%`);
      made.classList.add(compares(at) ? (value < 0 ? "shrank" : "grew") : value < 0 ? "less" : "bar-cell");
    }
    return made;
  }

  function show() {
    showHeads();
    const seen = order.filter((at) => chosen.has(at));
    body.replaceChildren(...rows.slice(0, limit).map((row) => {
      const made = element("tr", {}, ...seen.map((at) => cell(row, at)));
      if (row === focused) made.className = "focused";
      return made;
    }));
    const left = rows.length - Math.min(limit, rows.length);
    more.hidden = left === 0;
    more.textContent = `Show ${countText(Math.min(left, 1000))} more`;
    const of = rows.length === table.rowsInAll ? "" : `${countText(rows.length)} of `;
    counted.textContent = `${of}${countText(table.rowsInAll)} ${table.rowsInAll === 1 ? "row" : "rows"}`;
  }

  more.addEventListener("click", () => {
    limit += 1000;
    show();
  });
  filter.addEventListener("input", () => {
    wanted = filter.value;
    limit = FIRST_ROWS;
    arrange();
    show();
  });
  for (const at of order.filter((one) => heads[one].shown !== "never")) {
    const box = element("input", { type: "checkbox", checked: chosen.has(at) });
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(at);
      else chosen.delete(at);
      show();
    });
    picker.append(element("label", {}, box, ` ${heads[at].heading.replaceAll("\n", " ")}`));
  }

  const name = container.querySelector("h2")?.textContent || view;
  if (count > 12) {
    container.append(element("div", { class: "bar" }, element("label", { class: "find" }, "Filter ", filter), counted, picker));
  }
  if (count === 0) {
    container.append(element("p", { class: "note", text: data.tree.before ? "Nothing differs." : "Nothing recorded." }));
  } else {
    container.append(
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${name}` },
        element("table", {}, element("thead", {}, headRow), body)),
      more,
    );
  }
  // A report may have been cut before the page left anything out.
  if (table.rowsLeftOut > 0 && table.rowsLeftOut + count === table.rowsInAll) {
    container.append(element("p", { class: "note", text: `${countText(table.rowsLeftOut)} rows are left out: in no column they have `
      + `more than ${percentText(table.leftOutPercent / 100)} of the highest figure.` }));
  } else if (table.rowsInAll > count) {
    container.append(element("p", { class: "note", text: `The first ${countText(count)} of ${countText(table.rowsInAll)}.` }));
  }
  arrange();
  show();

  return {
    // Shows a row by what other views call it; says if it is there.
    focus(key) {
      const row = [...Array(count).keys()].find((one) => rowKey(one) === key);
      if (row === undefined) return false;
      focused = row;
      wanted = filter.value = "";
      arrange();
      limit = Math.max(limit, rows.indexOf(row) + 20);
      show();
      body.querySelector(".focused").scrollIntoView({ block: "center" });
      return true;
    },
    filter(wantedText) {
      filter.value = wanted = wantedText;
      limit = FIRST_ROWS;
      arrange();
      show();
    },
  };
}

