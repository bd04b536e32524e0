// The card of a prediction: a question, a button for each choice, and then what was true.

import { keepKeys, make, setAttribute, setText } from "./dom.js";

class PredictionCard {
  constructor({ model, el }) {
    this.model = model;
    this.buttons = [];
    this.question = make("p", { class: "tt-question" });
    this.choices = make("div", { class: "tt-choices", role: "group" });
    this.verdict = make("p", { class: "tt-verdict", role: "status" });
    const root = make("div", { class: "task-thread tt-prediction" }, this.question, this.choices, this.verdict);
    keepKeys(root);
    model.on("change:card", () => this.draw());
    this.draw();
    el.append(root);
  }

  draw() {
    const { question, choices, chosen, right, state, verdict } = this.model.get("card");
    setText(this.question, question);
    setAttribute(this.choices, "aria-label", question);
    if (this.buttons.length !== choices.length) {
      this.buttons = choices.map((_, index) => make("button", {
        type: "button", class: "tt-button tt-choice", click: () => this.choose(index + 1),
      }));
      this.choices.replaceChildren(...this.buttons);
    }
    choices.forEach((text, index) => {
      const button = this.buttons[index];
      const isTrue = state === "answered" && text === right;
      setText(button, `${isTrue ? "✓ " : ""}${text}`);
      setAttribute(button, "aria-pressed", text === chosen);
      setAttribute(button, "data-true", isTrue ? "" : null);
      button.disabled = state === "running";
    });
    setText(this.verdict, verdict || "Choose, then the program runs.");
    setAttribute(this.verdict, "data-tone", state !== "answered" ? null : chosen === right ? "right" : "wrong");
  }

  choose(number) {
    for (const button of this.buttons) button.disabled = true; // until the kernel says more
    setText(this.verdict, "Asked; if nothing comes, the kernel is busy or gone.");
    this.model.send({ choose: number });
  }
}

function render(context) {
  new PredictionCard(context);
}

export default { render };
