// Our own page of a form.

const { enhance } = await import(new URL(`form.js${new URL(import.meta.url).search}`, import.meta.url).href);
const form = document.querySelector("form[data-hubbub]");
if (form) enhance(document, { endpoint: form.action });
