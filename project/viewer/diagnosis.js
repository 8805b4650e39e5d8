// Shows the library's page of diagnosis in a frame, as a viewer on another site has its token page.
const wanted = new URLSearchParams(location.search).get("frame");
const { collection } = await (await fetch("config.json")).json();

// Only the library that this viewer belongs to: a page that shows whatever it is told to would be of use to others.
const library = new URL(collection).origin;
const address = wanted && URL.canParse(wanted) ? new URL(wanted) : new URL("/iiif-auth/diagnosis/frame", library);
if (address.origin === library) document.getElementById("library").src = address.href;
