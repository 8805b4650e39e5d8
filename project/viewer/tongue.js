/* What the visitor reads: the language in this page's own address, if it names one, then the browser's preferences. */

export const ASKED = new URLSearchParams(location.search).get("lang") ?? "";

export const READS = ASKED ? [ASKED, ...navigator.languages] : navigator.languages;

/** Links to this page in every language, the item that is open included. */
export function fillMenu(nav, label, names, now) {
  nav.setAttribute("aria-label", label);
  nav.replaceChildren(...Object.entries(names).map(([code, name]) => link(code, name, code === now)));
}

function link(code, name, isNow) {
  const target = document.createElement("a");
  Object.assign(target, { lang: code, hreflang: code, textContent: name, href: addressIn(code) });
  if (isNow) target.setAttribute("aria-current", "true");
  target.addEventListener("click", () => (target.href = addressIn(code)));
  return target;
}

function addressIn(code) {
  const address = new URL(location.href);
  address.searchParams.set("lang", code);
  return address.href;
}
