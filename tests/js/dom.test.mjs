import assert from "node:assert/strict";
import { test } from "node:test";

import { splitName } from "../../widgets/task_thread_widgets/static/dom.js";

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
