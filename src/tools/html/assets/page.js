// Views, the links between them, and the colours. The address says what is shown: #VIEW, #VIEW/ROW, #VIEW?TEXT.
const views = [...document.querySelectorAll(".view")];
const tables = new Map();
let flame = null;
let source = null;

// A view is made when it is first shown.
function prepare(view) {
  for (const container of document.querySelectorAll(`#view-${view} [data-table]`)) {
    const number = Number(container.dataset.table);
    if (!tables.has(number)) tables.set(number, makeTable(container, data.tables[number]));
  }
  if (view === "tree" && !flame) makeTree();
  if (view === "source" && !source) source = makeSource();
}

const tablesOf = (view) => data.tables.map((table, at) => (table.view === view ? tables.get(at) : null)).filter(Boolean);

function makeTree() {
  const find = byId("find");
  const { foldedPercent, nodesInAll, nodesShown } = data.tree;

  function showSelected() {
    const of = flame.selected();
    const links = [];
    if (of.sub !== null) links.push(element("a", { href: rowLink("subs", of.sub), text: "the sub" }));
    if (of.file !== null) {
      const where = sourceFiles.has(of.file) ? "source" : "lines";
      links.push(element("a", { href: rowLink(where, of.file, of.line), text: `called in ${of.place}` }));
    }
    byId("selected").replaceChildren(
      element("strong", { text: of.name }),
      element("span", { text: ` ${flame.metric().label.toLowerCase()} ` }),
      element("span", { title: of.exactAll + of.allBefore, text: `${of.all} inclusive (${of.share}), ` }),
      element("span", { title: of.exactSelf + of.selfBefore, text: `${of.self} self` }),
      element("span", { text: of.calls === null ? "" : `, ${callsText(of.calls, of.callsBefore)}` }),
      ...links.flatMap((link) => [" · ", link]),
    );
    byId("reset").disabled = of.isRoot;
    const { label, meaning } = flame.metric();
    const colours = data.tree.before ? ": red where there is more than before, blue where there is less" : ": red grows, blue shrinks";
    byId("meaning").textContent = `${label}: ${meaning}${isSigned(flame.metric()) ? colours : ""}.`;
  }

  function search(exact) {
    const found = flame.search(find.value, exact);
    byId("found").textContent = found
      ? `${countText(found.frames)} ${found.frames === 1 ? "call path matches" : "call paths match"}, with ${percentText(found.share)} of the whole` : "";
  }

  flame = makeFlame(() => showSelected());
  flame.find = (text) => {
    find.value = text;
    search(true);
  };
  find.addEventListener("input", () => search(false));
  byId("reset").addEventListener("click", () => flame.reset());
  for (const radio of document.querySelectorAll("input[name=metric]")) {
    radio.addEventListener("change", () => {
      flame.setMetric(data.metrics.findIndex((metric) => metric.key === radio.value));
      if (find.value) search(false);
    });
  }
  if (nodesShown < nodesInAll) {
    byId("folded").textContent = `${countText(nodesInAll - nodesShown)} of ${countText(nodesInAll)} call paths are folded: by no `
      + `measure they have more than ${percentText(foldedPercent / 100)} of the whole.`;
  }
  showSelected();
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function route() {
  const [, name, how, text] = /^#([\w-]+)(?:([/?])(.*))?$/.exec(location.hash) || [null, views[0].id.slice(5)];
  const view = views.find((one) => one.id === `view-${name}`) || views[0];
  const key = view.id.slice(5);
  for (const one of views) one.hidden = one !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === key) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
  hideTip();
  prepare(key);
  if (flame) flame.draw();
  const wanted = text === undefined ? null : decoded(text);
  let there = true;
  window.scrollTo(0, 0);
  if (wanted === null) {
    if (key === "source") source.showFirst();
  } else if (how === "/") {
    if (key === "source") there = source.focus(wanted);
    else there = tablesOf(key).some((table) => table.focus(wanted));
  } else if (key === "tree") {
    flame.find(wanted);
  } else {
    for (const table of tablesOf(key)) table.filter(wanted);
  }
  const why = data.tree.before ? "by itself, it differs too little or not at all" : "it has too small a share, or no figures of its own";
  byId("missing").hidden = there;
  byId("missing").textContent = there ? "" : `${wanted} is not on this page: ${why}.`;
}

// The colours of the system, or those chosen here, which the browser remembers if it can.
const THEMES = ["auto", "light", "dark"];
const themeButton = byId("theme");
let theme = "auto";
try {
  theme = THEMES.find((one) => one === localStorage.getItem("mprof-theme")) || "auto";
} catch {
  // A page opened from a file may have no memory.
}
function showTheme() {
  document.documentElement.dataset.theme = theme;
  const label = { auto: "as the system", light: "light", dark: "dark" }[theme];
  themeButton.textContent = { auto: "◐", light: "☀", dark: "☾" }[theme];
  themeButton.title = `Colours: ${label}`;
  themeButton.setAttribute("aria-label", `Colours: ${label}`);
  if (flame) flame.recolour();
}
themeButton.addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  try {
    localStorage.setItem("mprof-theme", theme);
  } catch {
    // Then it is forgotten.
  }
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

showTheme();
if (data.timeline) makeTimeline();
window.addEventListener("hashchange", route);
route();
