// Makes a form that works without it better: no reload, one case for a double click, and an entry that outlives an outage.

const TRIES_AT_MOST = 20;
const WAIT_SECONDS_AT_MOST = 60;
const KEPT_MILLISECONDS = 24 * 60 * 60 * 1000;

/** `root` holds one form of ours. `endpoint` is where entries go, `page` where the form stands if that is not our own page. */
export function enhance(root, { endpoint, page = "" }) {
  const form = root.querySelector("form[data-hubbub]");
  const texts = JSON.parse(form.dataset.texts);
  const button = form.querySelector("button[type=submit]");
  const caption = button.textContent;
  const kept = keeper(`hubbub:${endpoint}`);
  let isBusy = false;
  let resume = null; // ends a wait between two tries

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (resume) resume();
    else if (!isBusy) deliver();
  });
  root.addEventListener("click", (event) => {
    const name = event.target.closest?.(".summary a")?.getAttribute("href");
    if (!name) return;
    event.preventDefault();
    const target = form.querySelector(`[id="${CSS.escape(name.slice(1))}"]`);
    (target?.matches("fieldset") ? target.querySelector("input") : target)?.focus();
  });

  const before = kept.read();
  if (before) {
    fill(form, before);
    deliver();
  }

  async function deliver() {
    isBusy = true;
    button.setAttribute("aria-disabled", "true");
    button.textContent = texts.sending;
    try {
      await solve();
      await untilAnswered();
    } finally {
      isBusy = false;
      button.removeAttribute("aria-disabled");
      button.textContent = caption;
    }
  }

  async function untilAnswered() {
    for (let attempt = 0; attempt < TRIES_AT_MOST; attempt += 1) {
      const answer = await send();
      if (answer.isFinal) return answer.act();
      kept.write(entries(form));
      const seconds = answer.wait ?? Math.min(WAIT_SECONDS_AT_MOST, 2 ** attempt);
      notify(texts.retrying.replace("{seconds}", String(seconds)));
      await pause(seconds);
    }
    notify(texts.gave_up, true);
  }

  async function send() {
    let response;
    let content = {};
    try {
      response = await fetch(endpoint, request());
      content = await response.json();
    } catch {
      if (!response || response.ok) return { isFinal: false }; // no answer, or one that broke off: ask again with the same key
    }
    if (response.ok) return { isFinal: true, act: () => thank(content) };
    if (response.status === 429 || response.status >= 500) {
      return { isFinal: false, wait: Number(response.headers.get("retry-after")) || undefined };
    }
    return { isFinal: true, act: () => refuse(content) };
  }

  function request() {
    const headers = { accept: "application/json", "idempotency-key": form.elements._key.value };
    const fields = new FormData(form);
    if (page) fields.set("_page", page);
    if (form.enctype === "multipart/form-data") return { method: "POST", headers, body: fields };
    const values = {};
    for (const name of new Set(fields.keys())) {
      const all = fields.getAll(name);
      values[name] = all.length > 1 ? all : all[0];
    }
    return { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(values) };
  }

  async function solve() {
    const bits = Number(form.dataset.work);
    const token = form.elements._token.value;
    if (!bits || form.dataset.solved === token) return;
    try {
      const { work } = await import(sibling("work.js"));
      hidden("_work").value = await work(token, bits);
      form.dataset.solved = token;
    } catch (error) {
      console.warn("hubbub: sent without proof of work:", error); // it is taken all the same, and looked at more closely
    }
  }

  function hidden(name) {
    const found = form.elements[name];
    if (found) return found;
    const made = Object.assign(document.createElement("input"), { type: "hidden", name });
    form.append(made);
    return made;
  }

  function thank(content) {
    kept.clear();
    const box = root.querySelector(".hubbub");
    const thanks = root.querySelector("template[data-sent]").content.cloneNode(true);
    thanks.querySelector("[data-number]").textContent = content.case;
    box.replaceChildren(thanks);
    box.querySelector(".title").focus();
    box.scrollIntoView({ block: "nearest" });
    box.dispatchEvent(new CustomEvent("hubbub:sent", { bubbles: true, composed: true, detail: content }));
  }

  function refuse(content) {
    kept.clear();
    if (content.token) {
      form.elements._token.value = content.token;
      form.elements._key.value = content.key;
    }
    const errors = content.errors ?? [];
    show(errors);
    if (!errors.length) notify(content.message || texts.unavailable, true);
  }

  function show(errors) {
    notify("");
    const byField = new Map(errors.map((error) => [error.field, error.message]));
    for (const row of form.querySelectorAll("[data-field]")) mark(row, byField.get(row.dataset.field));
    const summary = root.querySelector("[data-summary]");
    summary.hidden = errors.length === 0;
    const items = errors.map((error) => {
      const link = Object.assign(document.createElement("a"), { textContent: error.label ? `${error.label}: ${error.message}` : error.message });
      link.setAttribute("href", `#f-${error.field}`);
      const item = document.createElement("li");
      item.append(link);
      return item;
    });
    summary.querySelector("ul").replaceChildren(...items);
    if (errors.length) summary.focus();
  }

  function mark(row, message) {
    const name = row.dataset.field;
    const control = row.matches("fieldset") ? row : row.querySelector(`[id="f-${CSS.escape(name)}"]`);
    const error = row.querySelector(".error");
    row.classList.toggle("wrong", Boolean(message));
    error.textContent = message ?? "";
    error.hidden = !message;
    const hint = row.querySelector(".hint[id]");
    const described = [hint?.id, message && error.id].filter(Boolean).join(" ");
    set(control, "aria-describedby", described);
    set(control, "aria-invalid", message ? "true" : "");
  }

  function notify(text, isToBeRead = false) {
    const notice = root.querySelector("[data-notice]");
    notice.textContent = text;
    if (isToBeRead) notice.focus();
  }

  function pause(seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(end, seconds * 1000);
      function end() {
        clearTimeout(timer);
        resume = null;
        resolve();
      }
      resume = end; // “Send” while it waits means: now
      button.removeAttribute("aria-disabled");
    });
  }
}

/** The address of another of our files, of the same version as this one. */
export function sibling(name) {
  const own = new URL(import.meta.url);
  return new URL(name + own.search, own).href;
}

function set(element, name, value) {
  if (value) element.setAttribute(name, value);
  else element.removeAttribute(name);
}

function entries(form) {
  return [...new FormData(form)].filter(([, value]) => typeof value === "string");
}

function fill(form, values) {
  const byName = new Map();
  for (const [name, value] of values) byName.set(name, [...(byName.get(name) ?? []), value]);
  for (const control of form.elements) {
    if (!control.name || control.type === "file") continue;
    const found = byName.get(control.name) ?? [];
    if (control.type === "checkbox") control.checked = found.includes(control.value);
    else if (found.length) control.value = found[0];
  }
}

/** What was entered, for this tab alone, until it is answered. Some browsers refuse storage; then it lives on the page only. */
function keeper(name) {
  const attempt = (action) => {
    try {
      return action();
    } catch {
      return null;
    }
  };
  return {
    read: () =>
      attempt(() => {
        const stored = JSON.parse(sessionStorage.getItem(name));
        return stored && Date.now() - stored.at < KEPT_MILLISECONDS ? stored.values : null;
      }),
    write: (values) => attempt(() => sessionStorage.setItem(name, JSON.stringify({ at: Date.now(), values }))),
    clear: () => attempt(() => sessionStorage.removeItem(name)),
  };
}
