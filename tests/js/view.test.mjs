import assert from "node:assert/strict";
import { test } from "node:test";

import { tabAfter, viewTabs } from "../../widgets/task_thread_widgets/static/view_layout.js";

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
  assert.deepEqual(viewTabs.map(({ tab }) => tab), ["timeline", "source", "log", "signals", "all"]);
});
