/*
 * IIIF Authorization Flow 2.0.0, the client's side. Usable alone: no dependencies, nothing on the page but a hidden frame.
 *
 *   const flow = new AuthFlow({ emit: (event) => console.log(event) });
 *   const answer = await flow.knock(probesOf(resource));           // what may be shown now?
 *   const outcome = await flow.visit(waysOf(answer.probe)[0]);     // in a click: window, token, probe again
 *   const way = flow.signedInBy(ways); flow.leave(way);            // log out
 *
 * A token is kept in memory, under the token service it came from, and goes into the Authorization header of the
 * probe it belongs to. It is never part of an event, an address, a log line or a stored value.
 */

const PROBE = "AuthProbeService2";
const ACCESS = "AuthAccessService2";
const TOKEN = "AuthAccessTokenService2";
const LOGOUT = "AuthLogoutService2";
const ORDER = ["external", "kiosk", "active"];
const REMEMBERED = "iiif-auth:token-services";
const LONGEST_TIMER = 2 ** 31 - 1;

export const list = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
export const idOf = (thing) => thing?.id ?? thing?.["@id"] ?? "";
export const typeOf = (thing) => String(thing?.type ?? thing?.["@type"] ?? "");

const children = (thing, type) => list(thing?.service).filter((service) => typeOf(service) === type);

/** An http(s) address, or null. Descriptions come from strangers: `javascript:` must never reach a window or a frame. */
export function webAddress(value) {
  try {
    const url = new URL(value);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

/** The probes of a content resource: its own, then those of its image services (or of an info.json). */
export function probesOf(resource) {
  const found = [resource, ...list(resource?.service)].flatMap((thing) => children(thing, PROBE));
  return found.filter((probe, at) => webAddress(idOf(probe)) && found.findIndex((p) => idOf(p) === idOf(probe)) === at);
}

/** The ways into what a probe guards, in the order of the specification. */
export function waysOf(probe) {
  return children(probe, ACCESS)
    .map((access) => ({
      probe,
      access,
      profile: access.profile,
      token: children(access, TOKEN)[0],
      logout: children(access, LOGOUT)[0],
    }))
    .filter(({ profile, access, token }) => ORDER.includes(profile) && webAddress(idOf(token)) && enterable(profile, access))
    .sort((a, b) => ORDER.indexOf(a.profile) - ORDER.indexOf(b.profile));
}

const enterable = (profile, access) => profile === "external" || webAddress(idOf(access)) !== null;

/**
 * Whether a token of this service may go to this probe. The specification lets them live anywhere, so a hostile
 * description could name somebody's token service under its own probe, and be handed the token. Same host, or hosts
 * of one organisation by their last two labels; pass `trusts` to decide otherwise.
 */
export function sameHouse(probe, token) {
  const [one, other] = [probe, token].map((service) => new URL(idOf(service)));
  const numeric = /^[\d.]+$|^\[/;
  if (one.hostname === other.hostname) return true;
  if (numeric.test(one.hostname) || numeric.test(other.hostname)) return false;
  const house = (url) => url.hostname.split(".").slice(-2).join(".");
  return one.hostname.includes(".") && house(one) === house(other);
}

function withQuery(address, pairs) {
  const query = Object.entries(pairs).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return address + (address.includes("?") ? "&" : "?") + query.join("&");
}

function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Which token services have worked in this browser: addresses only, so that a returning person is not asked again. */
class Remembered {
  #ids = new Set();

  constructor() {
    try {
      this.#ids = new Set(JSON.parse(localStorage.getItem(REMEMBERED) ?? "[]"));
    } catch {
      /* no storage, or somebody else's value: nothing is remembered */
    }
  }

  has(id) {
    return this.#ids.has(id);
  }

  add(id) {
    this.#ids.add(id);
    this.#save();
  }

  clear() {
    this.#ids.clear();
    this.#save();
  }

  #save() {
    try {
      localStorage.setItem(REMEMBERED, JSON.stringify([...this.#ids]));
    } catch {
      /* private windows may refuse: the page still works */
    }
  }
}

/** What a probe's status asks the client to do. */
function verdict(status, result) {
  if (status >= 200 && status < 300) return "granted";
  if (status >= 300 && status < 400) return webAddress(idOf(result.location)) ? "moved" : "broken";
  return status === 401 ? "denied" : "refused";
}

const USEFULNESS = ["granted", "moved", "denied", "refused", "broken"];

export class AuthFlow {
  #tokens = new Map();
  #clicked = new Set();
  #remembered = new Remembered();
  #emit;
  #timeout;
  #patience;
  #poll;
  #trusts;
  #parameters;

  constructor({ emit = () => {}, timeout = 15_000, patience = 6_000, poll = 100, trusts = sameHouse, parameters = {} } = {}) {
    this.#emit = emit;
    this.#timeout = timeout;
    this.#patience = patience;
    this.#poll = poll;
    this.#trusts = trusts;
    this.#parameters = parameters;
  }

  /**
   * Ask the probes: with a token still alive if there is one, else with nothing, as an open door needs no key.
   * The answer is {verdict, status, probe, way, result}; `opens` says whether there is something to show.
   */
  async knock(probes, context = {}) {
    let best = null;
    for (const probe of probes) {
      for (const held of this.#keys(probe)) {
        const answer = await this.#ask(probe, held, context);
        if (held && answer.verdict === "denied") this.#tokens.delete(idOf(held.token));
        if (answer.opens) return answer;
        if (!best || USEFULNESS.indexOf(answer.verdict) < USEFULNESS.indexOf(best.verdict)) best = answer;
      }
    }
    return best;
  }

  /**
   * Everything that needs no hand of the visitor: external services, and those that are known to have worked.
   * With less patience than after a click: one service that hangs must not keep the others from being offered.
   */
  async quietly(probes, context = {}) {
    let last = null;
    for (const way of probes.flatMap(waysOf).filter((way) => this.#silent(way))) {
      last = await this.present(way, { timeout: this.#patience, ...context });
      if (last.answer?.opens) return last;
    }
    return last;
  }

  /** In a click (or a kiosk): the library's window, then the token, then the probe. */
  async visit(way, { hurry = new Promise(() => {}), ...context } = {}) {
    const address = withQuery(idOf(way.access), { origin: location.origin, ...this.#parameters });
    const opened = window.open(address, "_blank");
    if (!opened) {
      this.#tell("window-blocked", { id: idOf(way.access), profile: way.profile }, context);
      return { way, answer: null, failure: { profile: "windowBlocked" } };
    }
    this.#clicked.add(idOf(way.token));
    this.#tell("window-opened", { id: idOf(way.access), profile: way.profile, url: address }, context);
    const early = await this.#closing(opened, hurry, context);
    const outcome = await this.present(way, context);
    return { ...outcome, early };
  }

  /** Turn whatever the browser holds for the library into a token, and the token into an answer. */
  async present(way, context = {}) {
    if (!this.#trusts(way.probe, way.token)) {
      this.#tell("token-withheld", { id: idOf(way.token), probe: idOf(way.probe) }, context);
      return { way, answer: null, failure: { profile: "otherHouse" } };
    }
    const message = await this.#message(way, context);
    context.signal?.throwIfAborted();
    if (message.type !== "AuthAccessToken2") {
      return { way, answer: null, failure: message };
    }
    this.#keep(way, message);
    const answer = await this.#ask(way.probe, way, context);
    return { way, answer, failure: null };
  }

  /** The first of these ways that the visitor holds a living token of. */
  signedInBy(ways) {
    return ways.find((way) => this.#living(way)) ?? null;
  }

  /** Milliseconds until the token of this way ends; null if it does not say. */
  remaining(way) {
    const until = this.#living(way)?.until ?? Infinity;
    return until === Infinity ? null : Math.min(Math.max(until - Date.now(), 0), LONGEST_TIMER);
  }

  /** Log out: the library's page in a window of its own; here everything is forgotten at once. */
  leave(way) {
    const opened = window.open(idOf(way.logout), "_blank");
    this.forget();
    this.#tell(opened ? "logout" : "window-blocked", { id: idOf(way.logout) }, {});
    return opened;
  }

  forget() {
    this.#tokens.clear();
    this.#clicked.clear();
    this.#remembered.clear();
  }

  #tell(type, facts, { quiet = false } = {}) {
    this.#emit({ type, at: Date.now(), quiet, ...facts });
  }

  #silent(way) {
    const id = idOf(way.token);
    return way.profile === "external" || this.#clicked.has(id) || this.#remembered.has(id);
  }

  #living(way) {
    const held = this.#tokens.get(idOf(way.token));
    return held && held.until > Date.now() && this.#trusts(way.probe, way.token) ? held : null;
  }

  /** The living tokens for a probe; without any, one try with empty hands. */
  #keys(probe) {
    const held = waysOf(probe).filter((way) => this.#living(way));
    return held.length ? held : [null];
  }

  #keep(way, { accessToken, expiresIn }) {
    const seconds = Number(expiresIn) > 0 ? Number(expiresIn) : Infinity;
    this.#tokens.set(idOf(way.token), { value: accessToken, until: Date.now() + seconds * 1000 });
    if (way.profile !== "external") this.#remembered.add(idOf(way.token));
  }

  async #ask(probe, way, context) {
    const token = way ? this.#living(way)?.value : undefined;
    const id = idOf(probe);
    this.#tell("probe-request", { id, bearer: Boolean(token) }, context);
    const answer = await this.#fetched(id, token, context);
    context.signal?.throwIfAborted();
    const told = { ...answer, probe, way: token ? way : null };
    told.opens = told.verdict === "granted" || told.verdict === "moved";
    this.#tell("probe-answer", { id, status: told.status, verdict: told.verdict, result: told.result, bearer: Boolean(token) }, context);
    return told;
  }

  async #fetched(id, token, { signal } = {}) {
    try {
      // A probe answers 200 and does not redirect; following one could carry the token to somebody else.
      const response = await fetch(id, {
        headers: token ? { Authorization: `Bearer ${token}` } : {},
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        signal: signal ?? null,
      });
      const result = await response.json().catch(() => null);
      if (!Number.isInteger(result?.status)) return { verdict: "broken", status: response.status, result: {} };
      return { verdict: verdict(result.status, result), status: result.status, result };
    } catch (problem) {
      signal?.throwIfAborted();
      return { verdict: "broken", status: 0, result: {}, problem };
    }
  }

  /** Resolves when the window is closed or the visitor says so. True if it "closed" too fast for anyone to have acted. */
  #closing(opened, hurry, context) {
    const start = Date.now();
    return new Promise((resolve, reject) => {
      const finish = (type) => {
        clearInterval(timer);
        if (context.signal?.aborted) return reject(context.signal.reason);
        this.#tell(type, {}, context);
        resolve(type === "window-closed" && Date.now() - start < 1000);
      };
      const timer = setInterval(() => opened.closed && finish("window-closed"), this.#poll);
      hurry.then(() => finish("window-done"));
      context.signal?.addEventListener("abort", () => finish("window-left"), { once: true });
    });
  }

  /** The hidden frame. Only the frame itself, from the token service's own origin, with our messageId, is listened to. */
  #message(way, context) {
    const service = idOf(way.token);
    const messageId = randomId();
    const frame = document.createElement("iframe");
    return new Promise((resolve) => {
      const finish = (message) => {
        clearTimeout(timer);
        window.removeEventListener("message", hear);
        setTimeout(() => frame.remove(), 1000); // the library may still be tidying up in there
        const { type, profile, expiresIn } = message;
        this.#tell("token-answer", { id: service, answer: type ?? "none", profile, expiresIn }, context);
        resolve(message);
      };
      const hear = (event) => {
        const wrong = faultOf(event, frame, service, messageId);
        if (!wrong) return finish(event.data);
        if (event.source === frame.contentWindow) this.#tell("message-ignored", { id: service, wrong }, context);
      };
      const timer = setTimeout(() => finish({ profile: "timeout" }), context.timeout ?? this.#timeout);
      context.signal?.addEventListener("abort", () => finish({ profile: "abandoned" }), { once: true });
      window.addEventListener("message", hear);
      frame.hidden = true;
      frame.tabIndex = -1;
      frame.title = "IIIF access token";
      frame.src = withQuery(service, { messageId, origin: location.origin });
      this.#tell("token-request", { id: service, profile: way.profile, messageId, url: frame.src }, context);
      document.body.append(frame);
    });
  }
}

const MESSAGES = ["AuthAccessToken2", "AuthAccessTokenError2"];

function faultOf(event, frame, service, messageId) {
  if (event.source !== frame.contentWindow) return "source";
  if (event.origin !== new URL(service).origin) return "origin";
  if (!MESSAGES.includes(event.data?.type)) return "type";
  if (event.data.messageId !== messageId) return "messageId";
  if (event.data.type === MESSAGES[0] && typeof event.data.accessToken !== "string") return "accessToken";
  return null;
}
