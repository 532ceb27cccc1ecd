// Changes come as server-sent events and resume where they broke off; without them the console asks now and then.
// Nothing that an agent reads or writes is moved: new rows announce themselves, new messages are added below.

import { announce, announceHits, belongs } from "./announcing.js";
import { fragment } from "./fragments.js";
import { tell } from "./notices.js";
import { markRows, passOver, putBack, remember } from "./reading.js";

const STREAM = "/api/v1/cases/stream";
const POLL_MILLISECONDS = 20000;
const GATHER_MILLISECONDS = 400;
const REST_MILLISECONDS = 60000;
const OFFLINE_AFTER_MILLISECONDS = 3000;

const QUIET = new Set(["delivery", "send-released"]); // what became of an answer: where it went wrong, the case opens again

let changed = new Map();
let gathering = 0;
let lostAt = 0;
let polling = 0;
let resting = 0;
let source = null;
let place = "";

export function followCases() {
  if (!document.getElementById("rail-counts")) return;
  setInterval(tick, 1000);
  if (!window.EventSource) return poll();
  open();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(resting);
    if (!document.hidden) return source || polling || open();
    resting = setTimeout(rest, REST_MILLISECONDS);
  });
}

// Browsers allow few connections to a host, so a page that nobody looks at gives its own back and resumes where it was.
function rest() {
  source?.close();
  source = null;
}

function open() {
  const stream = new EventSource(place ? `${STREAM}?after=${encodeURIComponent(place)}` : STREAM);
  source = stream;
  stream.addEventListener("open", found);
  for (const kind of ["case", "left"]) {
    stream.addEventListener(kind, (event) => {
      place = event.lastEventId || place;
      const change = JSON.parse(event.data);
      if (change.actor === document.body.dataset.user || QUIET.has(change.step)) passOver(change.case, change.sequence);
      gather(change);
    });
  }
  stream.addEventListener("notice", (event) => tell(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    lostAt ||= Date.now();
    if (stream.readyState !== EventSource.CLOSED) return;
    source = null;
    poll();
  });
}

function found() {
  lostAt = 0;
  clearInterval(polling);
  polling = 0;
  refreshRail();
}

function poll() {
  polling ||= setInterval(() => {
    refreshRail().then(() => {
      lostAt = 0;
    }, () => {
      lostAt ||= Date.now();
    });
    refreshCase();
  }, POLL_MILLISECONDS);
}

function tick() {
  const since = lostAt ? Date.now() - lostAt : 0;
  let bar = document.getElementById("offline");
  if (since < OFFLINE_AFTER_MILLISECONDS) return bar?.remove();
  if (!bar) {
    bar = document.createElement("div");
    bar.id = "offline";
    bar.className = "offline";
    bar.setAttribute("role", "status");
    document.body.append(bar);
  }
  bar.textContent = document.body.dataset.offline.replace("{seconds}", Math.round(since / 1000));
}

function gather(change) {
  changed.set(change.case, change);
  gathering ||= setTimeout(() => {
    gathering = 0;
    const changes = changed;
    changed = new Map();
    refreshRail();
    for (const each of changes.values()) apply(each);
    announceHits();
  }, GATHER_MILLISECONDS);
}

function apply(change) {
  const page = document.getElementById("case");
  if (page?.dataset.case === change.case && Number(page.dataset.revision) < change.sequence) refreshCase();
  const row = document.querySelector(`#rows li[data-case="${CSS.escape(change.case)}"]`);
  if (row) return refreshRow(row, change);
  if (!change.number || !belongs(change)) return;
  const back = page?.dataset.case === change.case && putBack(change.case); // undone here
  if (back) return refreshRow(back, change);
  announce(change.case);
}

const current = () => document.querySelector("#rail-counts [aria-current]")?.dataset.key ?? "";

async function refreshRail() {
  const counts = document.getElementById("rail-counts");
  const focused = document.activeElement?.closest("#rail-counts a")?.getAttribute("href");
  const found = await fragment(`/console/rail?here=${encodeURIComponent(current())}`);
  counts.replaceChildren(...found.body.childNodes);
  if (focused) counts.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

async function refreshRow(row, change) {
  const list = document.getElementById("list");
  const url = `${list.dataset.place}/${change.number ?? row.id.replace("row-", "")}`;
  const query = new URLSearchParams(list.dataset.query);
  query.set("part", "row");
  const found = await fragment(`${url}?${query}`).catch(() => null);
  const link = row.querySelector("a");
  if (!found) return row.classList.add("closed"); // it stays where it is until the list is asked for again
  const made = found.querySelector("li");
  if (link.hasAttribute("aria-current")) made.querySelector("a").setAttribute("aria-current", "true");
  const had = document.activeElement === link;
  row.replaceWith(made);
  if (had) made.querySelector("a").focus();
  markRows();
}

async function refreshCase() {
  const page = document.getElementById("case");
  if (!page?.dataset.url) return;
  const found = (await fragment(page.dataset.url).catch(() => null))?.getElementById("case");
  if (!found || document.getElementById("case") !== page || found.dataset.case !== page.dataset.case) return;
  page.dataset.revision = found.dataset.revision;
  remember(page.dataset.case, page.dataset.revision);
  if (!page.querySelector(".case-head details[open]")) {
    page.querySelector(".case-head").replaceWith(found.querySelector(".case-head"));
    htmx.process(page.querySelector(".case-head"));
  }
  addLines(page, found);
}

function addLines(page, found) {
  const conversation = page.querySelector("#conversation");
  const wasAtEnd = conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < 40;
  const lines = page.querySelector("#lines");
  const last = Math.max(0, ...[...lines.children].map((each) => Number(each.dataset.sequence ?? 0)));
  let isNew = false;
  for (const line of [...found.querySelectorAll("#lines > li")]) {
    const old = line.id && document.getElementById(line.id);
    if (old) replaceChanged(old, line);
    else if (line.id && Number(line.dataset.sequence) > last) {
      lines.append(line);
      isNew = true;
    }
  }
  htmx.process(lines);
  if (isNew && wasAtEnd) conversation.scrollTop = conversation.scrollHeight;
}

// What became of an answer, and what a message says since it was changed. A form that somebody opened stays.
function replaceChanged(old, line) {
  replaceDelivery(old, line);
  const badges = (of) => [...of.querySelectorAll(":scope > .byline .badge")].map((each) => each.textContent).join();
  if (badges(old) !== badges(line) && !old.querySelector("iframe")) {
    for (const part of [":scope > .byline", ":scope > .body"]) {
      const [before, after] = [old.querySelector(part), line.querySelector(part)];
      if (before && after) before.replaceWith(after);
    }
  }
  const [before, after] = [old.querySelector(":scope > .change"), line.querySelector(":scope > .change")];
  if (!before && after) old.append(after);
  if (before && !after && !before.querySelector("details[open]")) before.remove();
}

function replaceDelivery(old, line) {
  const before = old.querySelector(":scope > .after");
  const after = line.querySelector(":scope > .after");
  if (before && after && before.textContent !== after.textContent) before.replaceWith(after);
}
