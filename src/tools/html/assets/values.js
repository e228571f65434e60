// The data of the page, and its values as text. All text goes into the page by textContent or setAttribute, never as HTML.
const byId = (id) => document.getElementById(id);

const data = JSON.parse(byId("data").textContent);
const sources = JSON.parse(byId("sources").textContent);
const strings = data.strings;

// An element with attributes and contents. `text` and `class` are what they are called.
function element(name, attributes = {}, ...contents) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") made.textContent = value;
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...contents);
  return made;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

// Three digits say enough; the same rule as in the reports as text.
function bytesText(bytes) {
  let size = Math.abs(bytes);
  let unit = 0;
  while (size >= 1024 && unit + 1 < UNITS.length) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : 1;
  return `${bytes < 0 ? "-" : ""}${size.toFixed(digits)} ${UNITS[unit]}`;
}

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const countText = (count) => grouped.format(count);
const exactBytes = (bytes) => `${countText(bytes)} bytes`;
const secondsText = (ns) => `${(ns / 1e9).toFixed(3)} s`;

function percentText(share) {
  const percent = share * 100;
  return `${percent >= 10 ? percent.toFixed(0) : Number(percent.toPrecision(2))} %`;
}

// A figure in its unit: [rounded, exact].
function figure(value, unit) {
  if (unit === "bytes") return [bytesText(value), exactBytes(value)];
  return [`${countText(value)} ${unit}`, `${countText(value)} ${unit}`];
}

// How much more there is than before, in its unit: [rounded, exact].
const difference = (value, unit) => figure(value, unit).map((text) => (value > 0 ? `+${text}` : text));

// What was and what is, exactly, where there are `more` now.
const both = (was, more, unit) => `: ${figure(was, unit)[1]} before, ${figure(was + more, unit)[1]} now`;

// A number of calls; of a diff, which has one before, calls are how many more there are.
function callsText(calls, before) {
  if (before !== null) return `calls: ${countText(before)} before, ${countText(before + calls)} now`;
  return `${countText(calls)} ${calls === 1 ? "call" : "calls"}`;
}

// May a metric be negative?
const isSigned = (metric) => metric.signed || data.tree.before !== null;

// A name or path that is broken only after its parts, if that is enough.
const breakable = (text) => text.split(/(?<=\/|::)/).flatMap((part, at) => (at ? [element("wbr"), part] : [part]));

// Links inside of the page: a view, and a row of it or a text to filter it by.
const rowLink = (view, ...key) => `#${view}/${encodeURIComponent(key.join(":"))}`;
const filterLink = (view, text) => `#${view}?${encodeURIComponent(text)}`;

// The colour that a custom property stands for now, as a canvas wants it.
const probe = document.body.appendChild(element("span", { hidden: true }));
function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

const tip = byId("tip");

// Shows lines of text beside the pointer; hides them where there are none.
function showTip(lines, x, y) {
  tip.hidden = lines.length === 0;
  if (tip.hidden) return;
  tip.replaceChildren(...lines.map((line) => element("div", { text: line })));
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 10) : y + 18}px`;
}
const hideTip = () => showTip([], 0, 0);

