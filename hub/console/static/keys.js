// Keys. A letter acts only when nothing is being written; the sheet of keys (?) lists them all.

import { chooseNone, toggleRow } from "./choosing.js";

const rows = () => [...document.querySelectorAll("#rows a[href]")];
const isWriting = (target) => target.closest?.("input:not([type=radio],[type=checkbox]), textarea, select, [contenteditable]");
const page = () => document.getElementById("case");

const ACTS = {
  j: () => move(1),
  k: () => move(-1),
  r: () => write("reply"),
  n: () => write("note"),
  c: () => press("c"),
  e: () => press("e"),
  a: () => openMenu("a"),
  s: () => openMenu("s"),
  t: () => openMenu("t"),
  m: () => openMenu("m"),
  ".": () => openMenu("."),
  x: toggleRow,
  "/": () => focus(document.getElementById("search")),
  "?": () => document.getElementById("keys")?.showModal(),
};

export function listenForKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") return escape(event);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return send(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const act = ACTS[event.key] ?? (/^[1-9]$/.test(event.key) && (() => openView(event.key)));
    if (act && act() !== false) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open)?.showModal();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const now = all.findIndex((each) => each === document.activeElement);
  const open = all.findIndex((each) => each.hasAttribute("aria-current"));
  const from = now >= 0 ? now : open;
  const next = from < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, from + step));
  focus(all[next]);
  all[next].scrollIntoView({ block: "nearest" });
}

function write(mode) {
  const choice = page()?.querySelector(`[name=mode][value=${mode}]`);
  if (!choice || choice.disabled) return false;
  choice.checked = true;
  focus(page().querySelector(mode === "reply" ? ".is-formatted .editor" : "#none") ?? page().querySelector("#compose"));
}

// The saved views in the rail have numbers.
function openView(number) {
  const link = document.querySelector(`#rail-counts a[data-number="${number}"]`);
  if (!link) return false;
  link.click();
}

function press(name) {
  const button = page()?.querySelector(`[data-key="${name}"]`);
  if (!button) return false;
  button.click();
}

function openMenu(name) {
  const menu = document.getElementById(`menu-${name}`);
  if (!menu) return false;
  menu.open = true;
  focus(menu.querySelector(".sheet input:not([type=hidden]), .sheet button:not(:disabled)"));
}

function escape(event) {
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    return focus(menu.querySelector("summary"));
  }
  if (document.querySelector("dialog[open]")) return; // it closes itself
  if (isWriting(event.target)) return event.target.blur();
  if (chooseNone()) return;
  const current = document.querySelector("#rows a[aria-current]") ?? rows()[0];
  if (current && current.offsetParent) return focus(current);
  document.querySelector("#case .back")?.click();
}

function send(event) {
  const form = event.target.closest?.("form");
  const buttons = [...(form?.querySelectorAll(event.shiftKey ? ".send-resolve" : "button.primary") ?? [])];
  const button = buttons.find((each) => each.offsetParent);
  if (!button) return;
  event.preventDefault();
  button.click(); // and not requestSubmit, which leaves out what the button says
}

function focus(element) {
  element?.focus();
}
