// Rows are chosen with `x` or their boxes; what is done then is done to all of them.

import { counted } from "./times.js";

const boxes = () => [...document.querySelectorAll("#rows input[name=cases]")];
let last = null;

export function chooseRows() {
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("#rows input[name=cases]")) count();
  });
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("#rows input[name=cases]");
    if (!box) return;
    if (event.shiftKey && last?.isConnected) stretch(last, box);
    last = box;
  });
  document.addEventListener("htmx:afterSettle", count);
  count();
}

export function toggleRow() {
  const link = document.activeElement?.closest?.("#rows a") ?? document.querySelector("#rows a[aria-current]");
  const box = link?.closest("li").querySelector("input[name=cases]");
  if (!box) return false;
  box.checked = !box.checked;
  last = box;
  count();
}

export function chooseNone() {
  const chosen = boxes().filter((each) => each.checked);
  for (const each of chosen) each.checked = false;
  count();
  return chosen.length > 0;
}

function stretch(from, to) {
  const all = boxes();
  const [first, end] = [all.indexOf(from), all.indexOf(to)].sort((one, other) => one - other);
  for (const each of all.slice(first, end + 1)) each.checked = to.checked;
  count();
}

function count() {
  const said = document.getElementById("chosen");
  const number = boxes().filter((each) => each.checked).length;
  if (said) said.textContent = counted(said, number);
}
