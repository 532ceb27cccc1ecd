// Opening a case beside its list without a reload; what was not looked at yet is marked; the conversation starts at its end.

const SEEN = "hubbub-seen:";
const SEEN_AT_MOST = 3000;
const NEXT = "hubbub-next"; // "stay" keeps the resolved case open

const seenKey = () => `${SEEN}${document.body.dataset.user}`;

export function readEarlier() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#rows a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || !link.closest("li[data-case]") || isNarrow()) return;
    event.preventDefault();
    openCase(link.getAttribute("href"));
  });
  document.addEventListener("htmx:afterSettle", (event) => settle(event.target));
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id === "case") event.detail.shouldSwap = true;
  });
  for (const name of ["hubbub:resolved", "hubbub:snoozed", "hubbub:spam"]) document.addEventListener(name, openNext);
}

const isNarrow = () => matchMedia("(max-width: 48rem)").matches;

export function openCase(url) {
  return htmx.ajax("GET", url, { target: "#case", swap: "outerHTML", push: url }).then(() => {
    history.state?.htmx || history.pushState({ htmx: true }, "", url);
    const page = document.getElementById("case");
    document.querySelector(".desk").dataset.level = "case";
    if (page?.dataset.title) document.title = `${page.dataset.title} · Hubbub`;
  });
}

const TOAST_MILLISECONDS = 10000;

function letToastsGo() {
  for (const toast of document.querySelectorAll("#toasts .toast:not([data-going])")) {
    toast.dataset.going = "yes";
    const go = () => (toast.matches(":hover, :focus-within") ? setTimeout(go, 2000) : toast.remove());
    setTimeout(go, TOAST_MILLISECONDS);
  }
}

export function settle(root) {
  letToastsGo();
  const page = document.getElementById("case");
  markRows();
  if (!page?.dataset.case) return;
  remember(page.dataset.case, page.dataset.revision);
  for (const link of document.querySelectorAll("#rows a[href]")) {
    const isOpen = link.parentElement.dataset.case === page.dataset.case;
    if (isOpen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (root === document || root?.id === "case" || root?.contains?.(page)) showEnd();
}

// What grows below (files of an answer, who is here) must not push the last words out of sight.
const heights = new ResizeObserver(([{ target }]) => {
  const grew = Number(target.dataset.height ?? 0) - target.clientHeight;
  const fromEnd = target.scrollHeight - target.scrollTop - target.clientHeight;
  if (grew > 0 && fromEnd - grew < 40) target.scrollTop = target.scrollHeight;
  target.dataset.height = target.clientHeight;
});

function showEnd() {
  const conversation = document.getElementById("conversation");
  if (!conversation) return;
  heights.disconnect();
  heights.observe(conversation);
  if (!location.hash && !new URLSearchParams(location.search).has("before")) {
    conversation.scrollTop = conversation.scrollHeight;
    if (isNarrow()) conversation.querySelector("#lines")?.lastElementChild?.scrollIntoView({ block: "center" });
  }
}

function openNext() {
  if (localStorage.getItem(NEXT) === "stay") return;
  const links = [...document.querySelectorAll("#rows li[data-case] > a")];
  const now = links.findIndex((each) => each.hasAttribute("aria-current"));
  const next = links[now + 1] ?? links[now - 1]; // the first one, where this case is not in the list any more
  if (!next) return;
  takeOut(links[now]?.parentElement);
  openCase(next.getAttribute("href"));
}

// Rows of cases that were done, and what stood behind each, so that an undo finds its place.
const taken = new Map();

function takeOut(row) {
  if (!row) return;
  taken.set(row.dataset.case, { row, next: row.nextElementSibling?.dataset.case });
  row.remove();
}

// The row of a case that is in the list again, where it was; null when it was never there.
export function putBack(id) {
  const { row, next } = taken.get(id) ?? {};
  taken.delete(id);
  const rows = document.getElementById("rows");
  if (!row || !rows) return null;
  rows.insertBefore(row, next ? rows.querySelector(`[data-case="${CSS.escape(next)}"]`) : null);
  return row;
}

function seen() {
  try {
    return JSON.parse(localStorage.getItem(seenKey()) ?? "{}");
  } catch {
    return {};
  }
}

export function remember(id, revision) {
  const all = seen();
  delete all[id];
  all[id] = Number(revision);
  const names = Object.keys(all);
  for (const name of names.slice(0, Math.max(0, names.length - SEEN_AT_MOST))) delete all[name];
  try {
    localStorage.setItem(seenKey(), JSON.stringify(all));
  } catch {
    // without room nothing is marked
  }
  markRows();
}

// One's own doing is no news of a case that was read up to it.
export function passOver(id, sequence) {
  if (seen()[id] === sequence - 1) remember(id, sequence);
}

export function markRows() {
  const all = seen();
  for (const row of document.querySelectorAll("#rows li[data-case]")) {
    row.classList.toggle("unread", (all[row.dataset.case] ?? 0) < Number(row.dataset.revision));
  }
}
