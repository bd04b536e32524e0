import assert from "node:assert/strict";
import { test } from "node:test";

import { link, panelTraits, tabAfter, viewTabs } from "../../widgets/task_thread_widgets/static/view_layout.js";

test("arrows go round the tabs, Home and End to the first and last", () => {
  const last = viewTabs.length - 1;
  assert.equal(tabAfter("ArrowRight", 0, viewTabs.length), 1);
  assert.equal(tabAfter("ArrowRight", last, viewTabs.length), 0);
  assert.equal(tabAfter("ArrowLeft", 0, viewTabs.length), last);
  assert.equal(tabAfter("End", 0, viewTabs.length), last);
  assert.equal(tabAfter("Home", 3, viewTabs.length), 0);
  assert.equal(tabAfter("x", 3, viewTabs.length), -1);
});

test("the tabs are those that the kernel knows", () => {
  assert.deepEqual(viewTabs.map(({ tab }) => tab), ["timeline", "source", "log", "signals", "waits", "advice", "all"]);
});

test("each panel but the tree has a tab", () => {
  assert.deepEqual(["tree", ...viewTabs.map(({ tab }) => tab)], [...Object.keys(panelTraits), "all"]);
});

/** As a widget's model in the page: it tells of a change only if there is one. */
function makeModel(selected) {
  const heard = [];
  return {
    saved: 0,
    get: () => selected,
    set(_, value) {
      if (value === selected) return;
      selected = value;
      for (const listener of heard) listener();
    },
    on: (_, listener) => heard.push(listener),
    save_changes() { this.saved++; },
  };
}

test("what is selected in one panel is selected in all, and told to the kernel once by each", () => {
  const models = [makeModel(""), makeModel(""), makeModel("")];
  link(models, "selected");
  for (const [index, id] of [[0, "1/tick"], [2, "2"], [1, ""]]) {
    models.forEach((model) => { model.saved = 0; });
    models[index].set("selected", id);
    assert.deepEqual(models.map((model) => model.get("selected")), [id, id, id]);
    assert.deepEqual(models.map((model) => model.saved), models.map((_, i) => (i === index ? 0 : 1)));
  }
});
