// What is written is kept with every keystroke: on this device at once, in the hub a moment later, until it was sent.

const PREFIX = "hubbub-draft:";
const KEPT_DAYS = 30;
const KEPT_AT_MOST = 200;
const PAUSE_MILLISECONDS = 1000;
const SENT = "hubbub-sent";
const KEPT = ["html", "to", "cc", "bcc", "subject", "quote", "sender", "queue"]; // beside the text

const key = (form) => `${PREFIX}${document.body.dataset.user}:${form.dataset.draft}`;
const composer = () => document.querySelector("form[data-draft]");
let waiting = null;

export function keepDrafts() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-draft]");
    if (form && (event.target === field(form) || event.target.name === "mode" || KEPT.includes(event.target.name))) keep(form);
  });
  document.addEventListener("hubbub:written", () => {
    const form = composer();
    if (form) forget(form);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === composer()) stop(); // it is being sent
    else flush();
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== composer() || event.submitter?.hasAttribute("data-preview")) return;
    stop(); // it is being sent, and what was kept of it is forgotten on the page that follows
    sessionStorage.setItem(SENT, key(event.target));
  });
  document.addEventListener("htmx:afterSettle", restore);
  addEventListener("pagehide", flush);
  forgetOld();
  const form = composer();
  const done = new URLSearchParams(location.search).get("done") ?? "";
  if (/^(started|forwarded)/.test(done)) localStorage.removeItem(sessionStorage.getItem(SENT));
  sessionStorage.removeItem(SENT);
  if (form && /^(replied|noted|scheduled)/.test(done) && !field(form).value) forget(form);
  restore();
}

const field = (form) => form.querySelector("textarea");
const mode = (form) => form.querySelector("[name=mode]:checked")?.value ?? "reply";

function others(form) {
  const found = {};
  for (const name of KEPT) {
    const field = form.elements[name];
    if (field) found[name] = field.type === "checkbox" && !field.checked ? "" : field.value;
  }
  return found;
}

function fill(form, more) {
  for (const [name, value] of Object.entries(more ?? {})) {
    const field = form.elements[name];
    if (!field) continue;
    if (field.type === "checkbox") field.checked = Boolean(value);
    else field.value = value;
  }
  const copies = form.querySelector("details.copies");
  if (copies && (more?.cc || more?.bcc)) copies.open = true;
}

function keep(form) {
  const text = field(form).value;
  const saved = document.getElementById("saved");
  const draft = { text, mode: mode(form), at: Date.now(), more: others(form) };
  try {
    if (text) localStorage.setItem(key(form), JSON.stringify(draft));
    else localStorage.removeItem(key(form));
    if (saved) saved.hidden = !text;
  } catch {
    if (saved) saved.hidden = true; // no room: then it is not said that it is kept
  }
  const body = new FormData();
  body.set("csrf", form.querySelector("[name=csrf]").value);
  body.set("text", text);
  body.set("mode", draft.mode);
  for (const [name, value] of Object.entries(draft.more)) body.set(name, value);
  stop();
  waiting = { url: form.dataset.keep, body, timer: setTimeout(flush, PAUSE_MILLISECONDS) };
}

function stop() {
  clearTimeout(waiting?.timer);
  waiting = null;
}

function flush() {
  const { url, body } = waiting ?? {};
  stop();
  if (url) fetch(url, { method: "POST", body, keepalive: true }).catch(() => {}); // it is kept here
}

// The later one counts: what was written here since, or on another device.
function restore() {
  const form = composer();
  if (!form || form.dataset.restored) return;
  form.dataset.restored = "yes";
  const saved = document.getElementById("saved");
  const draft = read(key(form));
  if (draft?.text && draft.at > Number(form.dataset.draftAt) && (!field(form).value || Number(form.dataset.draftAt))) {
    field(form).value = draft.text;
    fill(form, draft.more);
    document.dispatchEvent(new Event("hubbub:draft"));
    const chosen = [...form.querySelectorAll("[name=mode]")].find((each) => each.value === draft.mode && !each.disabled);
    if (chosen) chosen.checked = true;
  }
  if (saved) saved.hidden = !field(form).value;
}

function forget(form) {
  stop();
  localStorage.removeItem(key(form));
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

function forgetOld() {
  const drafts = Object.keys(localStorage)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => ({ name, at: read(name)?.at ?? 0 }))
    .sort((one, other) => other.at - one.at);
  const oldest = Date.now() - KEPT_DAYS * 86400000;
  drafts.forEach((each, index) => {
    if (index >= KEPT_AT_MOST || each.at < oldest) localStorage.removeItem(each.name);
  });
}
