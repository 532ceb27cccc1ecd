// Formatted text: plain is what everybody starts with; "Aa" turns the field into one with bold, italic, lists, links and quotes.
// What is pasted is written anew from these few by the hub, as all is that is sent; nothing foreign is parsed here.

const NAMESPACE = ` xmlns="${document.documentElement.namespaceURI}"`;
const form = (element) => element.closest?.("form[data-draft]") ?? document.querySelector("form[data-draft]");
const editor = (of) => of?.querySelector(".editor");
export function formatText() {
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-format-toggle]");
    if (toggle) turn(form(toggle), !isOn(form(toggle)), true);
    const button = event.target.closest("[data-format]");
    if (button) act(button);
    const copy = event.target.closest("[data-copy-to]");
    if (copy) addCopies(copy);
  });
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("[data-format]")) event.preventDefault(); // what is selected stays so
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "link-address" || event.key !== "Enter") return;
    event.preventDefault();
    act(event.target.parentElement.querySelector("[data-format]"));
  });
  document.addEventListener("input", (event) => {
    if (event.target.classList?.contains("editor")) tell(form(event.target));
  });
  document.addEventListener("paste", (event) => {
    const into = event.target.closest?.(".editor");
    if (into && !event.clipboardData?.files.length) paste(event);
  });
  document.addEventListener("selectionchange", remember);
  document.addEventListener("htmx:afterSettle", restore);
  document.addEventListener("hubbub:draft", restore);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "preview-content") document.getElementById("preview").showModal();
  });
  restore();
}

export const isOn = (of) => Boolean(of?.classList.contains("is-formatted"));

// Where the cursor stands is kept, since the field for a link takes it away.
let kept = null;

function remember() {
  const selection = getSelection();
  if (selection.rangeCount && selection.anchorNode?.parentElement?.closest(".editor")) kept = selection.getRangeAt(0).cloneRange();
}

async function turn(of, on, focus) {
  const area = of?.querySelector("textarea");
  const rich = editor(of);
  if (!rich) return;
  if (on) {
    const html = of.elements.html.value;
    of.classList.add("is-formatted"); // so that it is not begun twice
    rich.replaceChildren(html ? await cleaned(of, html).catch(() => paragraphs(area.value)) : paragraphs(area.value));
  }
  of.classList.toggle("is-formatted", on);
  rich.hidden = !on;
  of.querySelector(".formatting").hidden = !on;
  of.querySelector("[data-format-toggle]").setAttribute("aria-pressed", String(on));
  if (on) document.execCommand("defaultParagraphSeparator", false, "p");
  else of.elements.html.value = "";
  if (!focus) return;
  (on ? rich : area).focus();
  if (on) tell(of);
  else area.dispatchEvent(new Event("input", { bubbles: true }));
}

// The hidden field and the plain text follow what is written, so that drafts and forms know both.
function tell(of) {
  const rich = editor(of);
  const isEmpty = !rich.innerText.trim();
  of.elements.html.value = isEmpty ? "" : written(rich.childNodes);
  const area = of.querySelector("textarea");
  area.value = isEmpty ? "" : rich.innerText;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function act(button) {
  const rich = editor(form(button));
  const command = button.dataset.format;
  if (document.activeElement !== rich && kept && rich.contains(kept.startContainer)) {
    rich.focus();
    getSelection().removeAllRanges();
    getSelection().addRange(kept);
  } else rich.focus();
  if (command === "createLink") link(rich);
  else if (command === "blockquote") document.execCommand("formatBlock", false, isQuoted() ? "p" : "blockquote");
  else document.execCommand(command, false);
  tell(form(rich));
}

// As markup. What is in the editor is of our making, and the hub reads it as foreign all the same.
const written = (nodes) => [...nodes].map((node) => new XMLSerializer().serializeToString(node).replaceAll(NAMESPACE, "")).join("");

const isQuoted = () => Boolean(getSelection().anchorNode?.parentElement?.closest(".editor blockquote"));

function link() {
  const field = document.getElementById("link-address");
  const href = address(field.value.trim());
  if (!href) document.execCommand("unlink", false);
  else if (getSelection().isCollapsed) document.execCommand("insertHTML", false, written([anchor(href)]));
  else document.execCommand("createLink", false, href);
  field.value = "";
}

function anchor(href) {
  return Object.assign(document.createElement("a"), { href, textContent: href });
}

function address(href) {
  if (/^(https?:\/\/|mailto:)\S+$/i.test(href)) return href;
  return /^[\w-]+(\.[\w-]+)+([/?#]\S*)?$/.test(href) ? ["https:", "", href].join("/") : "";
}

async function paste(event) {
  event.preventDefault();
  const of = form(event.target);
  const html = event.clipboardData.getData("text/html");
  const plain = paragraphs(event.clipboardData.getData("text/plain"));
  const holder = document.createElement("div");
  holder.append(html ? await cleaned(of, html).catch(() => plain) : plain);
  const only = holder.children.length === 1 && holder.firstElementChild.tagName === "P" ? holder.firstElementChild : holder;
  document.execCommand("insertHTML", false, written(only.childNodes));
  tell(of);
}

function paragraphs(text) {
  const made = document.createDocumentFragment();
  for (const part of text.replace(/\r/g, "").split(/\n{2,}/)) {
    const paragraph = document.createElement("p");
    part.split("\n").forEach((line, index) => paragraph.append(...(index ? [document.createElement("br")] : []), line));
    if (!paragraph.textContent) paragraph.append(document.createElement("br"));
    made.append(paragraph);
  }
  return made;
}

// As the hub would send it: none of what else stood there comes into this page.
async function cleaned(of, html) {
  const body = new FormData();
  body.set("csrf", of.elements.csrf.value);
  body.set("html", html);
  const answer = await fetch(of.querySelector(".editor").dataset.clean, { method: "POST", body });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const made = document.createDocumentFragment();
  made.append(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
  return made;
}

// A form that came with formatted text, from the hub or from a draft of this device, shows it so.
function restore() {
  const of = document.querySelector("form[data-draft]");
  if (of && editor(of) && !isOn(of) && of.elements.html.value) turn(of, true, false);
}

function addCopies(button) {
  const field = form(button).elements.cc;
  const known = field.value.split(",").map((each) => each.trim()).filter(Boolean);
  field.value = [...known, button.dataset.copyTo].join(", ");
  button.closest("p").remove();
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}
