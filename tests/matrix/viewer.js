/*
 * The smallest viewer that follows IIIF Authorization Flow 2.0.0 and knows nothing of any server: a click, a window, its end,
 * a hidden frame, a token, a probe, a picture. It is told by its address which image and which access service.
 */

const query = new URLSearchParams(location.search);
const claims = (call) => query.get(`claims-${call}`) || location.origin; // what it says it is; a spoofing one lies
const told = [];
let token = null;
let known = null;

globalThis.viewer = { told, again: () => present(known), probe: () => probe(known) };

function tell(type, more = {}) {
  const event = { type, at: Date.now(), ...more };
  told.push(event);
  if (window.parent !== window) window.parent.postMessage({ told: event }, "*");
}

const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);

async function find() {
  const image = query.get("image");
  const description = await (await fetch(`${image}/info.json`)).json();
  const probes = list(description.service).filter(({ type }) => type === "AuthProbeService2");
  const ways = probes.flatMap((one) => list(one.service).map((access) => ({ image, probe: one.id, access })));
  const way = ways.find(({ access }) => (access.id || access.service[0].id).endsWith(`/${query.get("service")}`));
  return { ...way, token: list(way.access.service).find(({ type }) => type === "AuthAccessTokenService2") };
}

function visit(way) {
  const as = query.get("window") || "popup";
  const features = { popup: "popup,width=500,height=600", tab: "", noopener: "noopener" }[as];
  const opened = window.open(`${way.access.id}?origin=${encodeURIComponent(claims("access"))}`, "_blank", features);
  tell("window", { opened: Boolean(opened) });
  if (!opened) return;
  const timer = setInterval(() => {
    if (!opened.closed) return;
    clearInterval(timer);
    tell("closed");
    present(way);
  }, 100);
}

function present(way) {
  const frame = document.createElement("iframe");
  const messageId = crypto.randomUUID();
  const here = (event) => event.source === frame.contentWindow && event.data?.messageId === messageId;
  const finish = (data) => {
    removeEventListener("message", hear);
    clearTimeout(timer);
    setTimeout(() => frame.remove(), 2000);
    token = data.accessToken ?? null;
    tell("token", { got: Boolean(token), problem: data.profile ?? null, note: data.note ?? null });
    probe(way);
  };
  const hear = (event) => { if (here(event)) finish(event.data); };
  const timer = setTimeout(() => finish({ profile: "timeout" }), 15000);
  addEventListener("message", hear);
  frame.hidden = true;
  frame.src = `${way.token.id}?messageId=${messageId}&origin=${encodeURIComponent(claims("token"))}`;
  tell("frame");
  document.body.append(frame);
}

async function probe(way) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const found = await (await fetch(way.probe, { headers, cache: "no-store" })).json();
  tell("probe", { status: found.status, located: Boolean(found.location), note: found.note ?? null });
  const elsewhere = query.get("images");
  const published = elsewhere ? way.image.replace(new URL(way.image).origin, elsewhere) : way.image;
  show(found.status === 302 ? found.location.id : `${published}/full/200,/0/default.jpg?fresh=${told.length}`);
}

function show(address) {
  const picture = document.getElementById("picture");
  picture.onload = () => tell("picture", { shown: true });
  picture.onerror = () => tell("picture", { shown: false });
  picture.src = address;
}

known = await find();
document.getElementById("enter").onclick = () => visit(known);
document.getElementById("again").onclick = () => present(known);
document.getElementById("leave").onclick = () => {
  const door = list(known.access.service).find(({ type }) => type === "AuthLogoutService2");
  window.open(door.id, "_blank");
};
tell("ready", { profile: known.access.profile });
if (known.access.profile === "external") present(known);
if (known.access.profile === "kiosk") visit(known);
