/* Putting pictures, films, sounds and documents on the stage. Access is the browser's business here: plain elements, so that cookies travel. */

import { idOf, webAddress } from "./auth.js";
import { imageServiceOf } from "./manifest.js";

const OpenSeadragon = globalThis.OpenSeadragon;
const TOUCHES = ["canvas-click", "canvas-drag", "canvas-scroll", "canvas-pinch", "canvas-key"];
const PLAYLIST = /^(?:application|audio)\/(?:vnd\.apple\.|x-)?mpegurl$/i;
const REFUSED = [401, 403, 404];
const AHEAD = 6; // seconds of a stream that are fetched before they are played: what has ended is soon felt
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function element(name, properties = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...content.filter((part) => part !== null && part !== undefined));
  return made;
}

export class Media {
  #host;
  #t;
  #dragon = null;
  #stream = null;
  #generation = 0;
  #touched = false;

  constructor(host, t) {
    this.#host = host;
    this.#t = t;
  }

  /** Resolves when there is something to see or hear; rejects when the browser did not get it. */
  async show(facts, name, trouble) {
    const view = this.#touched ? this.#dragon?.viewport?.getBounds() : null;
    const moment = this.#host.querySelector("video, audio")?.currentTime;
    this.clear();
    if (!webAddress(idOf(facts.resource))) throw new Error("address");
    if (facts.kind === "image") return this.#image(facts, name, trouble, view);
    if (facts.kind === "document") return this.#document(facts, name);
    return this.#player(facts, name, trouble, moment);
  }

  clear() {
    this.#dragon?.destroy();
    this.#dragon = null;
    this.#touched = false;
    this.#stream?.destroy();
    this.#stream = null;
    for (const player of this.#host.querySelectorAll("video, audio")) {
      player.removeAttribute("src");
      player.load();
    }
    this.#host.replaceChildren();
  }

  /** After a logout nothing the browser has kept may stand in for the library's answer. */
  distrustCache() {
    this.#generation += 1;
  }

  #fresh(address) {
    if (!this.#generation) return address;
    return `${address}${address.includes("?") ? "&" : "?"}_=${this.#generation}`;
  }

  #image({ resource, info }, name, trouble, view) {
    if (imageServiceOf(resource) && !info) return Promise.reject(new Error("info.json"));
    const box = element("div", { className: "dragon" });
    this.#host.append(box, this.#tools());
    const dragon = OpenSeadragon({
      element: box,
      drawer: "canvas", // WebGL would want CORS pixels, and those come without cookies
      crossOriginPolicy: false,
      ajaxWithCredentials: false,
      loadTilesWithAjax: false,
      showNavigationControl: false,
      animationTime: calm() ? 0 : 0.8,
      immediateRender: calm(),
      gestureSettingsMouse: { scrollToZoom: true, clickToZoom: true },
      visibilityRatio: 0.6,
      maxZoomPixelRatio: 2,
      minZoomImageRatio: 0.8,
      tileSources: info ?? { type: "image", url: this.#fresh(idOf(resource)), crossOriginPolicy: false, buildPyramid: false },
    });
    this.#dragon = dragon;
    dragon.canvas.setAttribute("role", "img");
    dragon.canvas.setAttribute("aria-label", `${name}. ${this.#t("imageKeys")}`);
    this.#touched = Boolean(view);
    for (const touch of TOUCHES) dragon.addHandler(touch, () => { this.#touched = true; });
    const recentre = () => this.#dragon === dragon && !this.#touched && dragon.viewport?.goHome(true);
    dragon.addHandler("after-resize", () => setTimeout(recentre)); // its own idea of where to look comes after the event
    return new Promise((resolve, reject) => {
      let seen = false;
      dragon.addOnceHandler("open", () => {
        const source = dragon.world.getItemAt(0).source;
        const plain = source.getTileUrl.bind(source);
        if (info) source.getTileUrl = (...where) => this.#fresh(plain(...where));
        if (view) dragon.viewport.fitBounds(view, true);
      });
      dragon.addHandler("tile-loaded", () => {
        seen = true;
        resolve();
      });
      const failed = () => (seen ? trouble() : reject(new Error("pixels")));
      dragon.addHandler("tile-load-failed", failed);
      dragon.addHandler("open-failed", failed);
    });
  }

  #tools() {
    const act = (deed) => () => {
      this.#touched = true;
      if (this.#dragon?.viewport) deed(this.#dragon.viewport);
    };
    const pan = (x, y) => act((port) => port.panBy(port.deltaPointsFromPixels(new OpenSeadragon.Point(x, y))).applyConstraints());
    const buttons = [
      ["zoomIn", "M12 5v14M5 12h14", act((port) => port.zoomBy(1.5).applyConstraints())],
      ["zoomOut", "M5 12h14", act((port) => port.zoomBy(1 / 1.5).applyConstraints())],
      ["wholePicture", "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5", act((port) => port.goHome())],
      ["panLeft", "M14 6l-6 6 6 6", pan(-120, 0)],
      ["panUp", "M6 14l6-6 6 6", pan(0, -120)],
      ["panDown", "M6 10l6 6 6-6", pan(0, 120)],
      ["panRight", "M10 6l6 6-6 6", pan(120, 0)],
    ];
    const made = buttons.map(([key, path, click]) =>
      element("button", { type: "button", id: `tool-${key}`, title: this.#t(key), "aria-label": this.#t(key), onclick: click }, icon(path)),
    );
    return element("div", { className: "tools", role: "toolbar", "aria-label": this.#t("imageTools") }, ...made);
  }

  #player({ resource, kind }, name, trouble, moment) {
    const player = element(kind === "video" ? "video" : "audio", {
      controls: true,
      preload: "metadata",
      playsInline: true,
      "aria-label": name,
    });
    return new Promise((resolve, reject) => {
      const failed = () => (player.readyState ? trouble() : reject(new Error("media")));
      player.addEventListener("loadedmetadata", () => {
        if (moment) player.currentTime = moment;
        resolve();
      });
      player.addEventListener("error", failed);
      this.#host.append(element("div", { className: kind === "video" ? "cinema" : "sound" }, player));
      const address = this.#fresh(idOf(resource));
      if (PLAYLIST.test(resource.format ?? "")) this.#attach(player, address, failed).catch(reject);
      else player.src = address;
    });
  }

  /**
   * A stream. Its pieces are fetched as a script would, which across sites is without cookies: it plays if everybody may have it,
   * if the library gave a signed address, or if this page is on the library's own site. Where the browser can not play streams
   * by itself (Firefox), it is handed the pieces.
   */
  async #attach(player, address, failed) {
    player.crossOrigin = "anonymous";
    if (player.canPlayType("application/vnd.apple.mpegurl")) {
      player.src = address;
      return;
    }
    const { default: Hls } = await import("./vendor/hls.light.min.js");
    if (!player.isConnected) return;
    if (!Hls.isSupported()) throw new Error("stream");
    // No worker: it would be one from a blob, which the page's own rules do not allow.
    const stream = new Hls({ enableWorker: false, maxBufferLength: AHEAD, maxMaxBufferLength: AHEAD });
    let stopped = false;
    stream.on(Hls.Events.ERROR, (_event, { fatal, response }) => {
      // It would ask for a refused piece in every size in turn, for ever.
      if (!fatal && !REFUSED.includes(response?.code)) return;
      stopped = true;
      stream.stopLoad();
      failed();
    });
    // Access may be back: whoever presses “play” or moves on asks again.
    const again = () => {
      if (!stopped) return;
      stopped = false;
      stream.startLoad();
    };
    player.addEventListener("play", again);
    player.addEventListener("seeking", again);
    stream.loadSource(address);
    stream.attachMedia(player);
    this.#stream = stream;
  }

  /** A link first: a tab of the library's own always has its cookies, and not every library lets its files be framed. */
  #document({ resource }, name) {
    const address = this.#fresh(idOf(resource));
    const link = element("a", { className: "button primary", id: "open-document", href: address, target: "_blank", rel: "noopener" }, this.#t("openDocument"));
    const here = element("button", { type: "button", className: "button", id: "preview-document" }, this.#t("previewDocument"));
    const format = String(resource.format ?? "").split("/").pop().toUpperCase();
    const sheet = element(
      "div",
      { className: "sheet" },
      icon("M7 3h7l5 5v13H7zM14 3v5h5M10 13h6M10 17h6"),
      element("p", { className: "sheet-name" }, name),
      element("p", { className: "sheet-kind" }, format || this.#t("document")),
      element("p", { className: "actions" }, link, here),
    );
    here.addEventListener("click", () => {
      here.remove();
      sheet.after(element("iframe", { className: "leaf", title: name, src: address }));
    });
    this.#host.append(sheet);
    return Promise.resolve();
  }
}

export function icon(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
