import assert from "node:assert/strict";
import { test } from "node:test";

import { isKeyOfPanel, splitName } from "../../widgets/task_thread_widgets/static/dom.js";

test("a name is cut before the number at its end, which tells it from its like", () => {
  assert.deepEqual(splitName("TemperatureSensorThread-2"), ["TemperatureSensorThread", "-2"]);
  assert.deepEqual(splitName("<MyThread 17>"), ["<MyThread", " 17>"]);
  assert.deepEqual(splitName("worker12"), ["worker", "12"]);
  assert.deepEqual(splitName("Clock (#3)"), ["Clock (", "#3)"]);
});

test("a name without a number, or that is nothing else, is cut at its end", () => {
  for (const name of ["measure_temperature", "", "2", "-12", "\u{1f600}"]) {
    assert.deepEqual(splitName(name), [name, ""]);
  }
});

test("plain keys are the panel's, those that save, run and leave are JupyterLab's", () => {
  for (const key of ["ArrowDown", "ArrowLeft", "Enter", " ", "d", "a", "Tab", "Home"]) {
    assert.ok(isKeyOfPanel({ key }), key);
  }
  assert.ok(isKeyOfPanel({ key: "M", shiftKey: true }), "which would merge cells");
  for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }]) {
    assert.ok(!isKeyOfPanel({ key: "s", ...more }));
  }
  assert.ok(!isKeyOfPanel({ key: "Enter", shiftKey: true }));
  assert.ok(!isKeyOfPanel({ key: "Escape" }));
});
