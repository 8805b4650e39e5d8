// In a frame on another site: which cookies came along, shown here and told to the page of diagnosis that opened the tab.
import { seen, tell } from "./diagnosis_says.js";

async function permission() {
  try {
    return (await navigator.permissions.query({ name: "storage-access" })).state;
  } catch {
    return ""; // not every browser knows the name
  }
}

if (window.parent === window) {
  document.querySelector("[data-alone]").hidden = false;
} else {
  const found = await seen();
  if (found) {
    const facts = { cookie: found.cookie, partitioned: found.partitioned, permission: await permission() };
    tell(facts);
    window.top.opener?.postMessage({ iiifDiagnosis: "frame", ...facts }, location.origin);
  }
}
