// Why the lab can not start here, in a sentence; nothing where nothing is known against it. Loaded by the pages
// of the documentation, for their links to the lab, and by those of the lab.
function obstacle() {
  if (location.protocol === "file:") {
    return "This page was opened as a file, and browsers load no Python from files. " +
      "In its folder run `python -m http.server`, and open http://localhost:8000/ instead.";
  }
  if (typeof WebAssembly === "undefined") {
    return "This browser has no WebAssembly, which Python needs here, or a policy switched it off. " +
      "Use another browser, or a Jupyter on your machine (`make lab`).";
  }
  return "";
}
