/* The page: a list, a stage, and one visit at a time. The protocol is in auth.js, pixels are in media.js. */

import { AuthFlow, idOf, list, waysOf, webAddress } from "./auth.js";
import { described, entriesOf, entry, kindOf, piecesOf, read, typeOfDocument, wording } from "./manifest.js";
import { element, icon, Media } from "./media.js";
import { pageLanguage, TONGUES, translator } from "./messages.js";
import { ASKED, fillMenu } from "./tongue.js";

const language = pageLanguage();
const t = translator(language);
const $ = (id) => document.getElementById(id);
const stage = $("stage");
const media = new Media($("media"), t);
const events = [];
const flow = new AuthFlow({ emit: note, parameters: ASKED ? { lang: ASKED } : {} });
const BUSY = { "probe-request": "probing", "window-opened": "waiting", "token-request": "token" };
const RECHECK_EVERY = 10_000;
let visit = null;
let chosen = null;
let noted = 0;

globalThis.iiifViewer = Object.freeze({ events, language });

// --- words -----------------------------------------------------------------------------------------------------

/** Fill an element with the best wording of a language map, marked with its language; a message key if there is none. */
function word(target, map, fallback = "", values = {}) {
  const best = wording(map);
  target.textContent = best?.text ?? (fallback && t(fallback, values));
  if (best?.lang) target.lang = best.lang;
  else target.removeAttribute("lang");
  return target;
}

const labelOf = (map, fallback = "unnamed", values = {}) => wording(map)?.text ?? t(fallback, values);

function translatePage() {
  document.documentElement.lang = language;
  document.title = t("brand");
  for (const spot of document.querySelectorAll("[data-t]")) spot.textContent = t(spot.dataset.t);
  $("origin").textContent = location.origin;
  fillMenu($("tongues"), t("language"), TONGUES, language);
}

// --- the log ---------------------------------------------------------------------------------------------------

function note(event) {
  events.push(event);
  if (!event.quiet && BUSY[event.type] && visit?.working) become(BUSY[event.type], t(BUSY[event.type]));
  if (event.type === "probe-answer") stage.dataset.status = event.status;
  writeDown(event);
}

function writeDown(event) {
  const line = element("li", { "data-event": event.type }, element("p", {}, t(logKey(event), logValues(event))));
  if (event.status !== undefined) line.dataset.status = event.status;
  if (event.verdict) line.dataset.verdict = event.verdict;
  const request = requestOf(event);
  if (request) line.append(element("code", {}, request));
  if (event.result?.type) line.append(answerItself(event.result));
  $("log").append(line);
  noted += 1;
  $("log-count").textContent = noted;
}

function logKey(event) {
  const part = { "probe-answer": event.verdict, "token-answer": event.answer }[event.type];
  return part ? `log_${event.type}_${part}` : `log_${event.type}`;
}

function logValues(event) {
  const seconds = event.expiresIn;
  return { ...event, token: t(event.bearer ? "withToken" : "withoutToken"), expires: seconds ? t("expires", { seconds }) : "" };
}

function requestOf({ type, id, url, bearer }) {
  if (type === "probe-request") return `GET ${id}${bearer ? "\nAuthorization: Bearer …" : ""}`;
  return { "token-request": url, "window-opened": url, logout: id, info: id, shown: id, substitute: id }[type] ?? null;
}

function answerItself(result) {
  const text = element("pre", { tabIndex: 0 }, JSON.stringify(result, null, 2));
  return element("details", {}, element("summary", {}, t("logJson")), text);
}

const tell = (type, facts = {}) => note({ type, at: Date.now(), quiet: false, ...facts });

// --- the state of the stage ------------------------------------------------------------------------------------

function become(state, sentence) {
  stage.dataset.state = state;
  stage.setAttribute("aria-busy", String(["probing", "waiting", "token"].includes(state)));
  if (sentence !== undefined && $("status").textContent !== sentence) $("status").textContent = sentence;
}

function clearMedia() {
  media.clear();
  $("media").hidden = true;
  $("versions").hidden = true;
  stage.dataset.shown = "";
  stage.dataset.rendition = "";
  if (visit) visit.display = null;
}

/** Nothing is under way: say what is to be seen. */
function rest(of) {
  if (of !== visit || of.working) return;
  const { display } = of;
  if (display?.loaded) return become("shown", t(`shown_${display.rendition}`, { label: display.label }));
  if (display && !display.failed) return become("probing", t("loading"));
  if (of.trouble) return become("error", t("error"));
  become("denied", t(of.answer?.verdict === "refused" ? "refused" : "denied"));
}

// --- showing ---------------------------------------------------------------------------------------------------

async function show(of, facts, rendition, { way = null, label = of.name } = {}) {
  lease(of, way, facts, rendition);
  const id = idOf(facts.resource);
  if (of.display && !of.display.failed && of.display.id === id) return rest(of);
  const display = { id, rendition, label, way, loaded: false, failed: false };
  of.display = display;
  of.trouble = null;
  $("media").hidden = false;
  $("media").dataset.kind = facts.kind;
  try {
    await media.show(facts, rendition === "substitute" ? label : of.name, () => recheck(of));
    if (of.display !== display) return;
    display.loaded = true;
    stage.dataset.shown = id;
    stage.dataset.rendition = rendition;
    tell("shown", { id, rendition });
    rest(of);
  } catch (problem) {
    if (of === visit && of.display === display) undelivered(of, display, problem);
  }
}

function undelivered(of, display, problem) {
  tell("undelivered", { id: display.id, problem: String(problem) });
  clearMedia();
  if (display.rendition === "substitute") return rest(of);
  of.trouble = "undelivered";
  of.working = false;
  ask(of);
  rest(of);
}

/** A grant ends with its token: before that, quietly get another one and ask the probe again. */
function lease(of, way, facts, rendition) {
  clearTimeout(of.timer);
  const left = way ? flow.remaining(way) : null;
  if (left === null) return;
  of.timer = setTimeout(() => renew(of, way, facts, rendition), Math.max(left - Math.min(5000, left / 5), 250));
}

async function renew(of, way, facts, rendition) {
  tell("renew", { id: idOf(way.token), quiet: true });
  const { answer } = await flow.present(way, { signal: of.controller.signal, quiet: true }).catch(left);
  if (of !== visit) return;
  if (!answer?.opens) return void (await evaluate(of).catch(left));
  await show(of, await opened(answer, facts), rendition, { way });
}

/** Tiles or a film that stop arriving may mean that access has ended: ask, but not too often. */
async function recheck(of) {
  if (of !== visit || of.working || Date.now() - (of.checked ?? 0) < RECHECK_EVERY) return;
  of.checked = Date.now();
  const answer = await flow.knock(of.facts.probes, { signal: of.controller.signal, quiet: true }).catch(left);
  if (answer?.verdict === "denied" && of.display?.rendition !== "substitute") await evaluate(of).catch(left);
}

/** What an opening answer lets us show: the thing itself, or what it says to take instead. */
async function opened(answer, facts) {
  if (answer.verdict === "granted") return facts;
  const { location: place } = answer.result;
  return described({ format: facts.resource.format, ...place });
}

// --- a visit ---------------------------------------------------------------------------------------------------

async function enter(piece, { focus = true } = {}) {
  visit?.controller.abort();
  clearTimeout(visit?.timer);
  visit = null;
  clearMedia();
  const name = labelOf(piece.label, "unnamed");
  visit = { piece, name, controller: new AbortController(), doors: [], failures: new Map(), working: true, focus };
  $("prompt").hidden = true;
  $("log").replaceChildren();
  noted = 0;
  stage.dataset.status = "";
  become("probing", t("probing"));
  const of = visit;
  try {
    of.facts = await described(piece.resource);
    of.controller.signal.throwIfAborted();
    if (of.facts.info) tell("info", { id: `${idOf(of.facts.info).replace(/\/$/, "")}/info.json` });
    await evaluate(of);
  } catch (problem) {
    left(problem);
  }
}

/** An aborted visit has been left for another one: that is no fault. */
function left(problem) {
  if (problem?.name !== "AbortError") throw problem;
  return {};
}

/** All that can be done without asking the visitor; then ask. */
async function evaluate(of) {
  const { probes } = of.facts;
  of.working = true;
  if (!probes.length) {
    tell("open");
    of.working = false;
    return show(of, of.facts, "full");
  }
  const context = { signal: of.controller.signal };
  await settle(of, await flow.knock(probes, context));
  if (of.answer.verdict === "denied") await silently(of, probes, context);
  of.working = false;
  ask(of);
  rest(of);
}

async function silently(of, probes, context) {
  await heed(of, await flow.quietly(probes, context));
  for (const way of probes.flatMap(waysOf).filter(({ profile }) => profile === "kiosk")) {
    if (of.answer.opens) return;
    await heed(of, await flow.visit(way, context));
  }
}

/** Take an outcome in: remember why it failed, or follow its answer. */
async function heed(of, outcome) {
  if (!outcome) return;
  if (!outcome.answer?.opens) of.failures.set(keyOf(outcome.way), outcome);
  else of.failures.delete(keyOf(outcome.way));
  if (outcome.answer) await settle(of, outcome.answer);
}

const keyOf = (way) => `${idOf(way.probe)} ${idOf(way.access)} ${idOf(way.token)}`;

async function settle(of, answer) {
  of.answer = answer;
  of.trouble = answer.verdict === "broken" ? "broken" : null;
  if (answer.opens) {
    const rendition = answer.verdict === "moved" ? "location" : "full";
    const facts = await opened(answer, of.facts);
    of.controller.signal.throwIfAborted();
    of.working = false;
    offerVersions(of, []);
    closePrompt(of);
    show(of, facts, rendition, { way: answer.way });
    return;
  }
  clearTimeout(of.timer);
  await substitute(of, answer);
}

/** Show the first substitute that opens; those before it stay on offer as doors of their own, open ones after it as versions. */
async function substitute(of, answer) {
  of.doors = [];
  const open = [];
  for (const resource of answer.verdict === "denied" ? list(answer.result.substitute) : []) {
    const label = labelOf(resource.label, "substitute");
    const found = await reachable(of, resource, label, open.length > 0);
    if (found) open.push({ ...found, label });
  }
  if (!open.length) return clearMedia();
  const best = open.find(({ facts }) => idOf(facts.resource) === of.picked) ?? open[0];
  if (idOf(best.facts.resource) !== of.display?.id) showVersion(of, best);
  offerVersions(of, open);
}

async function reachable(of, resource, label, enough) {
  const facts = await described(resource);
  of.controller.signal.throwIfAborted();
  if (!facts.probes.length) return { facts, way: null };
  if (enough) return null;
  const context = { signal: of.controller.signal };
  let answer = await flow.knock(facts.probes, context);
  if (answer.verdict === "denied") answer = (await flow.quietly(facts.probes, context))?.answer ?? answer;
  stage.dataset.status = of.answer.status;
  if (answer.opens) return { facts: await opened(answer, facts), way: answer.way };
  tell("substitute-shut", { id: idOf(resource), label });
  if (answer.verdict === "denied") of.doors.push({ facts, label });
  return null;
}

function showVersion(of, { facts, way, label }) {
  tell("substitute", { id: idOf(facts.resource), label });
  show(of, facts, "substitute", { way, label });
}

function offerVersions(of, open) {
  const group = $("versions");
  group.hidden = open.length < 2;
  group.setAttribute("aria-label", t("otherVersions"));
  group.replaceChildren(
    ...open.map((version) => {
      const pick = element("button", { type: "button", className: "button small" }, version.label);
      pick.setAttribute("aria-pressed", String(idOf(version.facts.resource) === of.display?.id));
      pick.addEventListener("click", () => {
        for (const other of group.children) other.setAttribute("aria-pressed", String(other === pick));
        of.picked = idOf(version.facts.resource);
        showVersion(of, version);
      });
      return pick;
    }),
  );
}

// --- asking the visitor ----------------------------------------------------------------------------------------

function closePrompt(of) {
  const inside = $("prompt").contains(document.activeElement);
  $("prompt").hidden = true;
  $("prompt").replaceChildren();
  if (inside) $("title").focus();
  offerLogout(of);
}

function ask(of) {
  offerLogout(of);
  if (of !== visit || (of.answer?.opens && !of.trouble)) return;
  const prompt = $("prompt");
  const ways = offered(of);
  const heading = element("h3", { id: "prompt-heading" });
  const text = element("p", { id: "prompt-note" });
  explain(of, heading, text);
  prompt.replaceChildren(icon(LOCK), element("div", { className: "why" }, heading, text), ...ways.map((way) => wayCard(of, way)));
  prompt.dataset.kind = of.trouble ?? of.answer?.verdict ?? "";
  if (!ways.length && retryable(of)) prompt.append(retryButton(of));
  prompt.hidden = false;
  if (of.focus) prompt.focus({ preventScroll: innerWidth > 800 });
}

const LOCK = "M7 11V8a5 5 0 0 1 10 0v3M5 11h14v9H5zM12 14.500v2.500";

/** The library's words if it gave any, else ours. */
function explain(of, heading, text) {
  const given = of.trouble ? {} : of.answer.result;
  const kind = of.trouble ?? (of.answer.verdict === "refused" ? "refused" : "restricted");
  word(heading, given.heading, kind === "restricted" ? "restricted" : `${kind}Heading`);
  word(text, given.note, given.heading ? "" : `${kind}Note`);
  text.hidden = !text.textContent;
}

const retryable = (of) => of.trouble !== null || of.answer.verdict === "denied" || [429, 503].includes(of.answer.status);

function retryButton(of) {
  const again = element("button", { type: "button", className: "button primary", id: "again" }, t("again"));
  again.addEventListener("click", () => enter(of.piece));
  return again;
}

/** The ways that need the visitor: interactive ones, a kiosk that could not open, an external one if nothing else is left. */
function offered(of) {
  if (of.trouble || of.answer.verdict !== "denied") return [];
  const own = of.facts.probes.flatMap(waysOf);
  const hands = own.filter(({ profile }) => profile !== "external");
  const others = of.doors.flatMap(({ facts, label }) => waysOf(facts.probes[0]).map((way) => ({ ...way, facts, label })));
  const doors = others.filter(({ profile, access }) => profile !== "external" && !hands.some((way) => idOf(way.access) === idOf(access)));
  return hands.length + doors.length ? [...hands, ...doors] : own;
}

function wayCard(of, way) {
  const failure = of.failures.get(keyOf(way));
  const button = element("button", { type: "button", className: "button primary enter" });
  word(button, failure ? null : way.access.confirmLabel, failure ? "again" : "enter");
  const card = element(
    "article",
    { className: "way", "data-profile": way.profile, "data-access": idOf(way.access) },
    ...wayWords(way),
    failure ? failureWords(way, failure) : null,
    element("p", { className: "actions" }, button),
  );
  const title = card.querySelector("h4");
  title.id = `way-${list($("prompt").querySelectorAll("h4")).length}-${Math.random().toString(36).slice(2, 8)}`;
  button.setAttribute("aria-describedby", title.id);
  button.addEventListener("click", () => attempt(of, way));
  return card;
}

function wayWords({ profile, access, label }) {
  const heading = word(element("h4"), access.heading ?? access.label, `${profile}Heading`);
  const eyebrow = access.heading && access.label ? word(element("p", { className: "eyebrow" }), access.label) : null;
  const text = word(element("p"), access.note, access.heading || access.label ? "" : `${profile}Note`);
  const version = label ? element("p", { className: "quiet" }, t("forVersion", { label })) : null;
  return [eyebrow, heading, version, text.textContent ? text : null];
}

/** The library's reasons in its words: those of the message, then those of the service. What went wrong here is told in ours. */
function reasons(way, failure) {
  const declared = ({ errorHeading: heading, errorNote: note }) => ({ heading, note });
  if (!failure) return declared(way.probe);
  if (failure.type !== "AuthAccessTokenError2") return {};
  return failure.heading ? failure : declared(way.token);
}

function failureWords(way, { answer, failure }) {
  const words = reasons(way, failure);
  const ours = failure ? `fail_${failure.profile}` : "fail_notEnough";
  const known = t(ours) === ours ? "fail_other" : ours;
  const box = element("div", { className: "failure", role: "alert", "data-failure": failure?.profile ?? `status ${answer?.status}` });
  box.append(word(element("strong"), words.heading, known));
  if (words.heading) box.append(word(element("p"), words.note, known));
  return box;
}

async function attempt(of, way) {
  const controller = new AbortController();
  const forget = () => controller.abort();
  of.controller.signal.addEventListener("abort", forget, { once: true });
  of.working = true;
  of.focus = true;
  const hurry = new Promise((done) => showWaiting(of, way, done, forget));
  try {
    const context = { signal: controller.signal };
    const outcome = way.profile === "external" ? await flow.present(way, context) : await flow.visit(way, { ...context, hurry });
    await (way.facts ? heedDoor(of, way, outcome) : heed(of, outcome));
  } catch (problem) {
    left(problem);
  }
  of.controller.signal.removeEventListener("abort", forget);
  of.working = false;
  if (of !== visit) return;
  ask(of);
  rest(of);
}

/** The visitor went through the door of a substitute: look at the substitutes again. */
async function heedDoor(of, way, outcome) {
  if (!outcome.answer?.opens) of.failures.set(keyOf(way), outcome);
  else await substitute(of, of.answer);
}

function showWaiting(of, way, done, cancel) {
  if (way.profile === "external") return;
  const finished = element("button", { type: "button", className: "button primary", id: "signed-in", onclick: done }, t("signedIn"));
  const stop = element("button", { type: "button", className: "button", id: "cancel", onclick: cancel }, t("cancel"));
  $("prompt").dataset.kind = "waiting";
  $("prompt").replaceChildren(
    icon("M4 5h11v11H4zM15 9h5v11H9v-4"),
    element("div", { className: "why" }, element("h3", { id: "prompt-heading" }, t("waitingHeading")), element("p", {}, t("waitingNote"))),
    element("p", { className: "actions" }, finished, stop),
  );
  $("prompt").focus({ preventScroll: true });
}

// --- logging out -----------------------------------------------------------------------------------------------

function offerLogout(of) {
  const ways = [...of.facts.probes, ...of.doors.flatMap(({ facts }) => facts.probes)].flatMap(waysOf);
  if (of.display?.way) ways.push(of.display.way);
  const way = flow.signedInBy(ways.filter(({ logout }) => webAddress(idOf(logout))));
  const button = $("logout");
  button.hidden = !way;
  if (!way) return;
  word(button, way.logout.label, "logout");
  button.onclick = () => logOut(of, way);
}

async function logOut(of, way) {
  clearTimeout(of.timer);
  const opened = flow.leave(way);
  media.distrustCache();
  clearMedia();
  $("logout").hidden = true;
  become("probing", t("loggedOut"));
  $("title").focus();
  await settled(opened);
  if (of === visit) await enter(of.piece);
}

/** Give the library's page the time to do its work: until its window is closed, a second at the most. */
function settled(opened) {
  const until = Date.now() + 1000;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (Date.now() < until) return;
      clearInterval(timer);
      resolve(opened);
    }, 100);
  });
}

// --- the list --------------------------------------------------------------------------------------------------

function entryButton(item) {
  const label = word(element("span", { className: "entry-label" }), item.label, "unnamed");
  const summary = item.summary ? word(element("span", { className: "entry-summary" }), item.summary) : null;
  const group = item.group ? word(element("span", { className: "entry-group" }), item.group) : null;
  const words = element("span", { className: "entry-words" }, group, label, summary);
  const button = element("button", { type: "button", className: "entry", "data-id": item.id }, thumbnail(item), words);
  button.addEventListener("click", () => choose(item));
  return element("li", {}, button);
}

function thumbnail({ thumbnail: address }) {
  const frame = element("span", { className: "thumb" }, icon("M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4"));
  if (address) {
    const picture = element("img", { alt: "", loading: "lazy", src: address, onerror: () => picture.remove() });
    frame.append(picture);
  }
  return frame;
}

async function choose(item, { focus = true } = {}) {
  for (const button of document.querySelectorAll(".entry")) {
    button.setAttribute("aria-current", String(button.dataset.id === item.id));
  }
  if (location.hash.slice(1) !== encodeURIComponent(item.id)) history.replaceState(null, "", `#${encodeURIComponent(item.id)}`);
  const narrow = matchMedia("(max-width: 50rem)").matches;
  if (narrow) toggleList(false);
  word($("title"), item.label, "unnamed");
  word($("summary"), item.summary);
  if (narrow && focus) $("title").focus();
  chosen = item;
  try {
    const manifest = item.manifest ?? (await read(item.id));
    if (chosen === item) present(manifest, { focus });
  } catch {
    if (chosen === item) unreadable(item.id);
  }
}

function present(manifest, { focus }) {
  word($("title"), manifest.label, "unnamed");
  document.title = `${$("title").textContent} – ${t("brand")}`;
  word($("summary"), manifest.summary);
  stateRequirement(manifest.requiredStatement);
  const pieces = piecesOf(manifest);
  if (!pieces.length) return unreadable(idOf(manifest));
  const several = pieces.length > 1;
  $("pieces").hidden = !several;
  $("pieces").setAttribute("aria-label", t("parts"));
  $("pieces").replaceChildren(...(several ? pieces.map((piece, at) => pieceButton(piece, at)) : []));
  open(several ? pieces[0] : { ...pieces[0], label: manifest.label }, 0, { focus });
}

function pieceButton(piece, at) {
  const button = element("button", { type: "button", className: "button small", "data-index": at, "data-kind": kindOf(piece.resource) });
  word(button, piece.label, "part", { n: at + 1 });
  button.addEventListener("click", () => open(piece, at, { focus: true }));
  return button;
}

function open(piece, at, options) {
  for (const button of $("pieces").children) button.setAttribute("aria-current", String(Number(button.dataset.index) === at));
  $("logout").hidden = true;
  return enter(piece, options);
}

function stateRequirement(statement) {
  const parts = [statement?.label, statement?.value].map((map) => wording(map)?.text).filter(Boolean);
  $("statement").textContent = parts.join(": ");
  $("statement").hidden = !parts.length;
}

function unreadable(address) {
  visit?.controller.abort();
  clearMedia();
  $("pieces").hidden = true;
  become("error", t("error"));
  if (!chosen) {
    word($("title"), null, "brand");
    word($("summary"), null);
  }
  $("prompt").replaceChildren(
    icon(LOCK),
    element("div", { className: "why" }, element("h3", { id: "prompt-heading" }, t("notReadHeading")), element("p", {}, t("notReadNote", { address }))),
  );
  $("prompt").dataset.kind = "broken";
  $("prompt").hidden = false;
}

function toggleList(wanted) {
  const toggle = $("list-toggle");
  const expand = wanted ?? toggle.getAttribute("aria-expanded") !== "true";
  toggle.setAttribute("aria-expanded", String(expand));
  toggle.textContent = t(expand ? "hideItems" : "showItems");
}

// --- the beginning ---------------------------------------------------------------------------------------------

async function start() {
  translatePage();
  $("list-toggle").addEventListener("click", () => toggleList());
  const asked = new URLSearchParams(location.search);
  const configured = asked.has("manifest") || asked.has("collection") ? {} : await read("config.json").catch(() => ({}));
  const address = asked.get("manifest") ?? asked.get("collection") ?? configured.collection;
  if (!webAddress(address)) {
    $("list-note").textContent = t("noCollection");
    return;
  }
  try {
    await fill(await read(address), address);
  } catch {
    $("list-note").textContent = t("notReadNote", { address });
    unreadable(address);
  }
}

async function fill(found, address) {
  const single = typeOfDocument(found) === "Manifest";
  const items = single ? [{ ...entry(found), id: idOf(found) || address, manifest: found }] : await entriesOf(found);
  word($("collection-label"), single ? null : found.label, "brand");
  document.title = $("collection-label").textContent;
  $("list-note").hidden = true;
  $("list").append(...items.map(entryButton));
  const wanted = items.find((item) => encodeURIComponent(item.id) === location.hash.slice(1)) ?? (single ? items[0] : null);
  if (wanted) await choose(wanted, { focus: false });
}

start();
