// Canned answers: `/` on an empty line opens them, typing narrows them, Enter puts one where the cursor stands.

const menu = () => document.getElementById("menu-canned");
const field = () => document.getElementById("compose");
const formatted = () => document.querySelector(".is-formatted .editor");
const choices = () => [...(menu()?.querySelectorAll("[data-canned]") ?? [])];

export function offerCanned() {
  document.addEventListener("keydown", (event) => {
    if (event.target === field() && event.key === "/" && startsLine(event.target) && menu()?.offsetParent) {
      event.preventDefault();
      open();
    } else if (event.target.closest?.("#menu-canned")) choose(event);
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "canned-filter") narrow(event.target.value);
  });
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-canned]");
    if (!choice) return;
    event.preventDefault();
    insert(choice.dataset.canned);
  });
}

const startsLine = (area) => /(^|\n)$/.test(area.value.slice(0, area.selectionStart));

function open() {
  menu().open = true;
  const filter = document.getElementById("canned-filter");
  filter.value = "";
  narrow("");
  filter.focus();
}

function narrow(words) {
  const wanted = words.trim().toLowerCase();
  for (const each of choices()) each.hidden = !each.textContent.toLowerCase().includes(wanted);
}

function choose(event) {
  const shown = choices().filter((each) => !each.hidden);
  const now = shown.indexOf(document.activeElement);
  if (event.key === "ArrowDown") shown[Math.min(shown.length - 1, now + 1)]?.focus();
  else if (event.key === "ArrowUp" && now > 0) shown[now - 1].focus();
  else if (event.key === "Enter" && event.target.id === "canned-filter") shown[0]?.click();
  else if (event.key === "Escape") {
    menu().open = false;
    (formatted() ?? field()).focus();
    event.stopPropagation();
  } else return;
  event.preventDefault();
}

async function insert(url) {
  const area = field();
  const answer = await fetch(url, { headers: { Accept: "text/plain" } });
  menu().open = false;
  (formatted() ?? area).focus();
  if (!answer.ok) return;
  if (formatted()) return document.execCommand("insertText", false, await answer.text());
  area.setRangeText(await answer.text(), area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}
