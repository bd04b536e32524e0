// A link to the lab says in a sentence why the lab could not start, where that is known beforehand.
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
