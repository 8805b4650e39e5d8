// As much of a browser's window as the pages of authorization flows use. What a page says to its opener is written down, and
// nothing here reaches anything. `given` is what Python knows of the page: its URL and its elements.
((given) => {
  const posted = [];
  const listeners = {};
  const waiting = [];
  const stringified = JSON.stringify; // kept before the page can put something else in its place
  let closed = false;

  // -- Elements and a small part of CSS selectors

  const nodes = given.elements.map((found, number) => ({ found, number, made: null }));

  const partsOf = (compound) => {
    const parts = { tag: "", id: "", classes: [], attributes: [] };
    const step = /^(?:([a-zA-Z][\w-]*|\*)|#([\w-]+)|\.([\w-]+)|\[\s*([\w-]+)\s*(?:([~^$*|]?=)\s*(?:"([^"]*)"|'([^']*)'|([^\]\s]*)))?\s*\]|:[\w-]+(?:\([^)]*\))?)/;
    let rest = compound;
    while (rest) {
      const match = step.exec(rest);
      if (!match) return null;
      if (match[1] && match[1] !== "*") parts.tag = match[1].toLowerCase();
      if (match[2]) parts.id = match[2];
      if (match[3]) parts.classes.push(match[3]);
      if (match[4]) parts.attributes.push([match[4].toLowerCase(), match[5], match[6] ?? match[7] ?? match[8]]);
      rest = rest.slice(match[0].length);
    }
    return parts;
  };

  const compare = {
    "=": (value, wanted) => value === wanted,
    "~=": (value, wanted) => value.split(/\s+/).includes(wanted),
    "^=": (value, wanted) => value.startsWith(wanted),
    "$=": (value, wanted) => value.endsWith(wanted),
    "*=": (value, wanted) => value.includes(wanted),
    "|=": (value, wanted) => value === wanted || value.startsWith(wanted + "-"),
  };

  const fits = (node, compound) => {
    const parts = partsOf(compound);
    if (!parts) return false;
    const { tag, attributes } = node.found;
    const classes = (attributes.class || "").split(/\s+/);
    return (!parts.tag || parts.tag === tag)
      && (!parts.id || parts.id === attributes.id)
      && parts.classes.every((name) => classes.includes(name))
      && parts.attributes.every(([name, how, wanted]) =>
        name in attributes && (!how || compare[how](attributes[name], wanted)));
  };

  const parentOf = (node) => (node.found.parent < 0 ? null : nodes[node.found.parent]);
  const within = (node, above) => {
    for (let one = parentOf(node); one; one = parentOf(one)) if (one === above) return true;
    return false;
  };

  const matches = (node, selector) => {
    const steps = selector.trim().split(/\s*>\s*|\s+/);
    if (!fits(node, steps.pop())) return false;
    let one = parentOf(node);
    while (steps.length) {
      while (one && !fits(one, steps[steps.length - 1])) one = parentOf(one);
      if (!one) return false;
      steps.pop();
      one = parentOf(one);
    }
    return true;
  };

  const all = (selector, above) => nodes
    .filter((node) => (!above || within(node, above)) && String(selector).split(",").some((one) => matches(node, one)))
    .map(element);

  const camel = (name) => name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
  const noop = () => {};

  function element(node) {
    if (node.made) return node.made;
    const { tag, attributes, text } = node.found;
    const dataset = {};
    for (const name of Object.keys(attributes)) if (name.startsWith("data-")) dataset[camel(name.slice(5))] = attributes[name];
    node.made = {
      tagName: tag.toUpperCase(), id: attributes.id || "", dataset, style: {}, textContent: text, innerText: text, innerHTML: text,
      text, value: attributes.value ?? (tag === "textarea" ? text : ""), content: attributes.content, href: attributes.href,
      name: attributes.name, disabled: "disabled" in attributes, hidden: "hidden" in attributes,
      getAttribute: (name) => (name in attributes ? attributes[name] : null),
      hasAttribute: (name) => name in attributes,
      setAttribute: noop, removeAttribute: noop, appendChild: (child) => child, append: noop, remove: noop, focus: noop, blur: noop,
      click: noop, submit: noop, requestSubmit: noop, addEventListener: noop, removeEventListener: noop,
      classList: { add: noop, remove: noop, toggle: noop, contains: (name) => (attributes.class || "").split(/\s+/).includes(name) },
      querySelector: (selector) => all(selector, node)[0] ?? null,
      querySelectorAll: (selector) => all(selector, node),
      closest: (selector) => {
        for (let one = node; one; one = parentOf(one)) if (matches(one, selector)) return element(one);
        return null;
      },
    };
    return node.made;
  }

  // -- What is listened for, and what is put off

  const listen = (name, deed) => {
    (listeners[name] = listeners[name] || []).push(typeof deed === "function" ? deed : (event) => deed.handleEvent(event));
  };
  const soon = (deed, after, ...values) => {
    if (typeof deed === "function" && waiting.length < 200) waiting.push(() => deed(...values));
    return waiting.length;
  };

  // -- The window

  const frameOf = (to) => ({
    postMessage(message, target) {
      const where = target !== null && typeof target === "object" ? target.targetOrigin : target;
      if (arguments.length < 1) throw new TypeError("postMessage needs a message.");
      posted.push({
        to, kind: typeof message, message: message === undefined ? null : message,
        target: where === undefined ? null : String(where),
      });
    },
    closed: false, opener: null, length: 1, close: noop, focus: noop,
    get location() { throw new Error("SecurityError: the viewer's window belongs to another site."); },
    get document() { throw new Error("SecurityError: the viewer's document belongs to another site."); },
  });

  const address = /^([a-z]+:)\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(given.url) || [given.url, "", "", "", "", ""];
  const location = {
    href: given.url, protocol: address[1], host: address[2], hostname: address[2].replace(/:\d+$/, ""),
    port: (/:(\d+)$/.exec(address[2]) || ["", ""])[1], pathname: address[3] || "/", search: address[4] || "", hash: address[5] || "",
    origin: address[1] + "//" + address[2], assign: noop, replace: noop, reload: noop, toString: () => given.url,
  };

  class URLSearchParams {
    constructor(text) {
      const decoded = (part) => decodeURIComponent(part.replace(/\+/g, " "));
      const given = String(text || "").replace(/^\?/, "");
      this.pairs = given ? given.split("&").map((pair) => {
        const at = pair.indexOf("=");
        return at < 0 ? [decoded(pair), ""] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
      }) : [];
    }
    get(name) { const found = this.pairs.find((pair) => pair[0] === name); return found ? found[1] : null; }
    getAll(name) { return this.pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]); }
    has(name) { return this.pairs.some((pair) => pair[0] === name); }
    [Symbol.iterator]() { return this.pairs[Symbol.iterator](); }
  }

  const close = () => { closed = true; };
  const parent = frameOf("parent");
  const document = {
    readyState: "loading", referrer: "", cookie: "", title: "", URL: given.url, location, visibilityState: "visible", hidden: false,
    getElementById: (id) => { const found = nodes.find((node) => node.found.attributes.id === String(id)); return found ? element(found) : null; },
    getElementsByTagName: (name) => all(name), getElementsByName: (name) => all(`[name="${name}"]`),
    getElementsByClassName: (name) => all(`.${name}`),
    querySelector: (selector) => all(selector)[0] ?? null, querySelectorAll: (selector) => all(selector),
    addEventListener: listen, removeEventListener: noop, write: noop, writeln: noop,
    createElement: (tag) => element({ found: { tag, attributes: {}, text: "", parent: -1 }, number: -1, made: null }),
    createTextNode: (text) => ({ textContent: text }),
    hasStorageAccess: () => Promise.resolve(true), requestStorageAccess: () => Promise.resolve(),
    get body() { return all("body")[0] ?? null; }, get head() { return all("head")[0] ?? null; },
    get documentElement() { return all("html")[0] ?? null; }, get forms() { return all("form"); },
    currentScript: null,
  };
  const storage = () => {
    const kept = new Map();
    return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => { kept.set(name, String(value)); }, removeItem: (name) => { kept.delete(name); } };
  };
  const console = { log: noop, info: noop, warn: noop, error: noop, debug: noop };
  const window = globalThis;
  Object.assign(window, {
    window, self: window, frames: window, parent, top: parent, opener: null, name: "", document, location, console, closed: false,
    navigator: { userAgent: "iiif-auth-conformance", language: "en", languages: ["en"], cookieEnabled: true, onLine: true },
    history: { length: 1, back: noop, pushState: noop, replaceState: noop }, screen: { width: 1280, height: 800 },
    localStorage: storage(), sessionStorage: storage(), isSecureContext: true, origin: location.origin,
    addEventListener: listen, removeEventListener: noop, dispatchEvent: () => true, close,
    open: (url, target) => (target === "_self" ? window : null), postMessage: frameOf("self").postMessage, focus: noop, blur: noop,
    alert: noop, confirm: () => false, prompt: () => null, print: noop,
    setTimeout: soon, setInterval: soon, clearTimeout: noop, clearInterval: noop, requestAnimationFrame: soon, queueMicrotask: soon,
    structuredClone: (value) => JSON.parse(JSON.stringify(value)), URLSearchParams,
    fetch: () => Promise.reject(new TypeError("Nothing is fetched here.")),
    XMLHttpRequest: undefined,
  });

  const fire = (name, extra) => {
    const event = { type: name, target: document, preventDefault: noop, stopPropagation: noop, ...extra };
    const named = window["on" + name];
    for (const deed of [...(listeners[name] || []), ...(typeof named === "function" ? [named] : [])]) waiting.push(() => deed(event));
  };

  const deeds = {
    loaded: () => {
      document.readyState = "interactive";
      fire("readystatechange");
      fire("DOMContentLoaded");
      document.readyState = "complete";
      fire("readystatechange");
      fire("load");
      fire("pageshow");
      const body = nodes.find((node) => node.found.tag === "body");
      if (body && body.found.attributes.onload && given.inline) waiting.push(() => (0, eval)(body.found.attributes.onload));
    },
    next: () => {
      const deed = waiting.shift();
      if (deed) deed();
    },
    waits: () => waiting.length,
    told: () => stringified({ posted, closed }),
  };
  return (name) => deeds[name]();
})
