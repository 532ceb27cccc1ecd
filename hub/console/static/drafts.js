// What is written is kept on this device with every keystroke, per case and user, until it was sent.

const PREFIX = "hubbub-draft:";
const KEPT_DAYS = 30;
const KEPT_AT_MOST = 200;

const key = (form) => `${PREFIX}${document.body.dataset.user}:${form.dataset.draft}`;
const composer = () => document.querySelector("form[data-draft]");

export function keepDrafts() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-draft]");
    if (form) keep(form);
  });
  document.addEventListener("hubbub:written", () => {
    const form = composer();
    if (form) forget(form);
  });
  document.addEventListener("htmx:afterSettle", restore);
  forgetOld();
  const form = composer();
  const done = new URLSearchParams(location.search).get("done") ?? "";
  if (form && /^(replied|noted)/.test(done) && !field(form).value) forget(form);
  restore();
}

const field = (form) => form.querySelector("textarea");
const mode = (form) => form.querySelector("[name=mode]:checked")?.value ?? "reply";

function keep(form) {
  const text = field(form).value;
  const saved = document.getElementById("saved");
  try {
    if (text) localStorage.setItem(key(form), JSON.stringify({ text, mode: mode(form), at: Date.now() }));
    else localStorage.removeItem(key(form));
    if (saved) saved.hidden = !text;
  } catch {
    if (saved) saved.hidden = true; // no room: then it is not said that it is kept
  }
}

function restore() {
  const form = composer();
  if (!form || field(form).value || form.dataset.restored) return;
  form.dataset.restored = "yes";
  const draft = read(key(form));
  if (!draft?.text) return;
  field(form).value = draft.text;
  const chosen = [...form.querySelectorAll("[name=mode]")].find((each) => each.value === draft.mode && !each.disabled);
  if (chosen) chosen.checked = true;
  const saved = document.getElementById("saved");
  if (saved) saved.hidden = false;
}

function forget(form) {
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
