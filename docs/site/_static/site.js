// A link to the lab says in a sentence why the lab could not start, where that is known beforehand.
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

addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a.try-it")) {
    link.addEventListener("click", (event) => {
      const text = obstacle();
      if (!text) return;
      event.preventDefault();
      const note = document.createElement("p");
      note.className = "obstacle";
      note.setAttribute("role", "alert");
      note.textContent = text;
      link.parentElement.querySelector(".obstacle")?.remove();
      link.after(note);
    });
  }
});
