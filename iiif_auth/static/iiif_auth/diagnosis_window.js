// The window that was opened for a moment: says that it is there, to a page of the library's and to nobody else.
if (window.opener) window.opener.postMessage({ iiifDiagnosis: "window" }, location.origin);
