// Signing in at the side: the button opens the sign-in in a window of its own, and this tab, which the viewer holds, stays here. It
// goes on when that window says so, or when the server does.

const EVERY = 2000; // milliseconds between two questions to the server
const way = document.querySelector("[data-side]");
const done = document.querySelector("[data-signed-in]");

if (way) {
  const goOn = () => location.replace(location.href);
  new BroadcastChannel("iiif-auth").addEventListener("message", ({ data }) => { if (data === "signed-in") goOn(); });
  let asking;
  way.addEventListener("click", (event) => {
    if (!window.open(way.dataset.side, "_blank", "popup,width=520,height=720")) return; // blocked: the link leads there in this tab
    event.preventDefault();
    document.querySelector("[data-said=waiting]").hidden = false;
    asking ??= setInterval(async () => {
      const answer = await fetch(way.dataset.session, { cache: "no-store" }).catch(() => null);
      if (answer?.ok && (await answer.json()).signedIn) goOn();
    }, EVERY);
  });
}

if (done) {
  new BroadcastChannel("iiif-auth").postMessage("signed-in");
  window.close();
}
