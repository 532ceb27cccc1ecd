// The snippet: shows a form of ours on a page of somebody else, in a shadow root, so that neither's styles reach the other.
//
//   <script src="https://forms.example.com/embed.js" data-form="contact" async></script>
//
// data-language   a language of the form; else the page's
// data-target     a selector of the element to put it into; else right behind this script
// data-theme      light or dark; else what the page's own text needs
// data-value-…    fills a field in beforehand, such as data-value-campaign="spring"

(() => {
  const script = document.currentScript;
  const base = new URL(".", script.src);
  const name = script.dataset.form;
  const address = new URL(`f/${encodeURIComponent(name)}`, base).href;

  const place = () => {
    const host = document.createElement("div");
    const target = script.dataset.target && document.querySelector(script.dataset.target);
    if (target) target.append(host);
    else if (document.head.contains(script)) document.body.append(host);
    else script.after(host);
    dress(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dress(host));
    return host;
  };

  // Many sites are light whatever the visitor's system is: where they write in light letters, they are dark.
  const dress = (host) => {
    const [red, green, blue] = getComputedStyle(host).color.match(/[\d.]+/g).map(Number);
    host.dataset.theme = script.dataset.theme || (0.3 * red + 0.6 * green + 0.1 * blue > 140 ? "dark" : "light");
  };

  const language = () => {
    const wished = script.dataset.language || script.closest("[lang]")?.lang || document.documentElement.lang;
    return wished ? wished.toLowerCase().split("-")[0] : "";
  };

  const get = async (url) => {
    for (let attempt = 0; ; attempt += 1) {
      const response = await fetch(url, { credentials: "omit" }).catch(() => null);
      if (response?.ok) return response;
      if (attempt === 4 || (response && response.status < 500 && response.status !== 429)) {
        throw new Error(`${url}: ${response ? (await response.json().catch(() => ({}))).detail || response.status : "no answer"}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt));
    }
  };

  // A page with `require-trusted-types-for 'script'` takes markup from a named policy only.
  const trusted = (html) => {
    const types = globalThis.trustedTypes;
    return types ? types.createPolicy("hubbub", { createHTML: (markup) => markup }).createHTML(html) : html;
  };

  const prefill = (root) => {
    for (const [key, value] of Object.entries(script.dataset)) {
      if (!key.startsWith("value")) continue;
      const field = key.slice("value".length).replace(/[A-Z]/g, (letter, place) => (place ? "-" : "") + letter.toLowerCase());
      const control = root.querySelector(`[id="f-${CSS.escape(field)}"], input[type=hidden][name="${CSS.escape(field)}"]`);
      if (control && "value" in control && control.type !== "file") control.value = value;
    }
  };

  const show = async () => {
    const host = place();
    const root = host.attachShadow({ mode: "open" });
    try {
      const wished = language();
      const found = await (await get(`${address}/fragment${wished ? `?lang=${encodeURIComponent(wished)}` : ""}`)).json();
      const asset = (file) => new URL(`assets/${file}?v=${found.version}`, base).href;
      const [styles, { enhance }] = await Promise.all([get(asset("form.css")).then((answer) => answer.text()), import(asset("form.js"))]);
      const sheet = new CSSStyleSheet(); // made by script, so the page's style-src need not allow anything
      sheet.replaceSync(styles);
      root.adoptedStyleSheets = [sheet];
      root.innerHTML = trusted(found.html);
      prefill(root);
      enhance(root, { endpoint: address, page: location.href });
      host.dispatchEvent(new CustomEvent("hubbub:ready", { bubbles: true }));
    } catch (error) {
      console.error(`hubbub: the form “${name}” cannot be shown here:`, error);
      const link = Object.assign(document.createElement("a"), { href: address, textContent: address });
      root.replaceChildren(link);
    }
  };

  if (document.readyState === "loading" && document.head.contains(script)) document.addEventListener("DOMContentLoaded", show);
  else show();
})();
