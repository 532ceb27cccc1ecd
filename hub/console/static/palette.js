// Ctrl+K: everything that the page offers, by its name. What is listed is what stands on the page, so nothing is known twice.

const MOST = 12;
const dialog = () => document.getElementById("palette");
const words = () => document.getElementById("palette-words");
const list = () => document.getElementById("palette-list");
let offers = [];

export function offerPalette() {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && dialog()) {
      event.preventDefault();
      open();
    } else if (dialog()?.open) move(event);
  });
  document.addEventListener("input", (event) => {
    if (event.target === words()) show();
  });
  document.addEventListener("click", (event) => {
    const option = event.target.closest("#palette-list [role=option]");
    if (option) run(option);
    else if (event.target === dialog()) dialog().close();
  });
}

function open() {
  if (dialog().open) return;
  offers = [...actions(), ...places(), ...cases()];
  words().value = "";
  show();
  dialog().showModal();
}

const named = (element) => (element.getAttribute("aria-label") || element.textContent).replace(/\s+/g, " ").trim();

// A button in a menu is named with it: "Snooze: In an hour"; in the menu of all the rest with its own heading: "Priority: High".
function actions() {
  return [...document.querySelectorAll("#case .actions button, #case .composer .modes label")].map((element) => {
    const menu = element.closest("details.menu");
    const group = menu?.id === "menu-." ? element.closest("form").querySelector("h3") : menu?.querySelector("summary");
    return { name: group ? `${named(group)}: ${named(element)}` : named(element), go: () => element.click() };
  }).filter((each) => each.name);
}

function places() {
  return [...document.querySelectorAll("#rail a[href]")].map((element) => ({
    name: named(element.querySelector("bdi, .grow") ?? element),
    go: () => element.click(),
  }));
}

function cases() {
  return [...document.querySelectorAll("#rows li[data-case] a")].map((element) => ({
    name: `${named(element.querySelector(".who bdi"))}: ${named(element.querySelector(".about"))}`,
    go: () => element.click(),
  }));
}

function show() {
  const wanted = words().value.trim().toLowerCase();
  const parts = wanted.split(/\s+/);
  const found = offers.filter((each) => parts.every((part) => each.name.toLowerCase().includes(part)));
  found.sort((one, other) => starts(other, wanted) - starts(one, wanted));
  const shown = found.slice(0, MOST);
  if (wanted) {
    const said = words().value.trim();
    const go = () => location.assign(list().dataset.url + encodeURIComponent(said));
    shown.push({ name: list().dataset.search.replace("{words}", said), go });
  }
  list().replaceChildren(...shown.map(option));
  select(0);
}

const starts = (each, wanted) => (each.name.toLowerCase().startsWith(wanted) ? 1 : 0);

function option(offer, index) {
  const element = document.createElement("li");
  element.id = `palette-${index}`;
  element.setAttribute("role", "option");
  element.textContent = offer.name;
  element.go = offer.go;
  return element;
}

function select(index) {
  const all = [...list().children];
  const at = Math.max(0, Math.min(all.length - 1, index));
  all.forEach((each, place) => each.setAttribute("aria-selected", String(place === at)));
  words().setAttribute("aria-activedescendant", all[at]?.id ?? "");
  all[at]?.scrollIntoView({ block: "nearest" });
}

function move(event) {
  const all = [...list().children];
  const now = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") select(now + 1);
  else if (event.key === "ArrowUp") select(now - 1);
  else if (event.key === "Enter" && all[now]) run(all[now]);
  else return;
  event.preventDefault();
}

function run(option) {
  dialog().close();
  option.go();
}
