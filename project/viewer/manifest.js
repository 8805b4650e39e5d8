/* Reading IIIF Presentation 3: what is in a Collection, what is in a manifest, what a body is. */

import { idOf, list, probesOf, typeOf, webAddress } from "./auth.js";
import { READS } from "./tongue.js";

const DEEPEST = 3;

/** The best wording of a language map for these languages: {text, lang}, or null. */
export function wording(map, languages = READS) {
  if (!map) return null;
  if (typeof map === "string") return { text: plain(map), lang: "" };
  const lang = chosen(Object.keys(map), languages);
  const text = list(map[lang]).map(plain).join(" ").trim();
  return text ? { text, lang: lang === "none" ? "" : lang } : null;
}

function chosen(offered, languages) {
  const base = (tag) => tag.toLowerCase().split("-")[0];
  for (const wanted of languages) {
    const found =
      offered.find((tag) => tag.toLowerCase() === wanted.toLowerCase()) ?? offered.find((tag) => base(tag) === base(wanted));
    if (found) return found;
  }
  return ["en", "none"].find((tag) => offered.includes(tag)) ?? offered[0];
}

/** Some values may hold HTML; this page shows words. The parser is inert: nothing in there runs or loads. */
function plain(value) {
  const text = String(value);
  return text.startsWith("<") ? new DOMParser().parseFromString(text, "text/html").body.textContent.trim() : text;
}

/** Collection or Manifest. */
export const typeOfDocument = (found) => typeOf(found);

export async function read(address) {
  const response = await fetch(address, { credentials: "omit" });
  if (!response.ok) throw new Error(`${response.status} ${address}`);
  return response.json();
}

/** The manifests of a Collection, those of its Collections included: [{id, label, summary, thumbnail, group}]. */
export async function entriesOf(collection, depth = 0) {
  const found = [];
  for (const item of list(collection.items)) {
    if (typeOf(item) === "Manifest") found.push({ ...entry(item), group: depth ? collection.label : null });
    if (typeOf(item) === "Collection" && depth < DEEPEST) {
      const inner = item.items ? item : await read(idOf(item));
      found.push(...(await entriesOf(inner, depth + 1)));
    }
  }
  return found;
}

export function entry(manifest) {
  const { label, summary } = manifest;
  return { id: idOf(manifest), label, summary, thumbnail: openThumbnail(manifest) };
}

function openThumbnail(thing) {
  const picture = list(thing.thumbnail).find((image) => probesOf(image).length === 0 && webAddress(idOf(image)));
  return picture ? idOf(picture) : null;
}

/** What a manifest has to show: painted bodies first, then what is offered beside them (a PDF, say). */
export function piecesOf(manifest) {
  const canvases = list(manifest.items);
  const painted = canvases.flatMap((canvas) => bodiesOf(canvas).map((body) => piece(body, canvas.label)));
  const beside = [manifest, ...canvases].flatMap((thing) => list(thing.rendering)).map((body) => piece(body, null));
  return [...painted, ...beside].filter(({ resource }) => idOf(resource));
}

const piece = (resource, label) => ({ resource, label: resource.label ?? label ?? null, kind: kindOf(resource) });

function bodiesOf(canvas) {
  const notes = list(canvas.items).flatMap((page) => list(page.items));
  return notes.filter((note) => list(note.motivation).includes("painting")).flatMap((note) => list(note.body).map(first));
}

const first = (body) => (typeOf(body) === "Choice" ? list(body.items)[0] : body);

/** How something is shown: image, video, sound or document. */
export function kindOf(resource) {
  const type = typeOf(resource);
  const format = String(resource.format ?? "");
  if (type === "Video" || format.startsWith("video/")) return "video";
  if (type === "Sound" || type === "Audio" || format.startsWith("audio/")) return "sound";
  if (type === "Image" || isImageService(resource) || format.startsWith("image/")) return "image";
  return "document";
}

const isImageService = (thing) => /^ImageService[123]$|^iiif:Image/.test(typeOf(thing)) || /iiif\.io\/api\/image/.test(thing.protocol ?? "");

/** The image service of a body, the newest version first; a body may be one itself. */
export function imageServiceOf(resource) {
  if (isImageService(resource)) return resource;
  return list(resource.service).filter(isImageService).sort((a, b) => typeOf(b).localeCompare(typeOf(a)))[0] ?? null;
}

/** Fetched without credentials: a description is public, whatever its pixels are. A 401 may still carry it. */
export async function infoOf(service) {
  const response = await fetch(`${idOf(service).replace(/\/$/, "")}/info.json`, { credentials: "omit" });
  const info = await response.json();
  if (!info?.width) throw new Error(`${response.status} ${idOf(service)}`);
  return info;
}

/** A resource with what has to be known before it is shown: {resource, kind, info, probes, problem}. */
export async function described(resource) {
  const service = imageServiceOf(resource);
  const facts = { resource, kind: kindOf(resource), info: null, probes: probesOf(resource), problem: null };
  if (!service) return facts;
  try {
    facts.info = await infoOf(service);
    if (facts.probes.length === 0) facts.probes = probesOf(facts.info);
  } catch (problem) {
    facts.problem = problem;
  }
  return facts;
}
