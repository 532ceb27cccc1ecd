// What the empty field asks for: an answer or a note. Keys are named only where there is a keyboard.

const EVENTS = ["change", "focusin", "htmx:afterSettle", "hubbub:draft"];

export function askForWords() {
  for (const name of EVENTS) document.addEventListener(name, ask);
  ask();
}

function ask() {
  const field = document.querySelector("#compose[data-note]");
  if (!field) return;
  const mode = field.form.querySelector("[name=mode]:checked")?.value ?? "reply";
  const words = matchMedia("(hover: none)").matches ? field.dataset[`${mode}Short`] : field.dataset[mode];
  if (field.placeholder !== words) field.placeholder = words;
}
