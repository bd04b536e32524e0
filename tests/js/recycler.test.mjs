import assert from "node:assert/strict";
import { test } from "node:test";

import { Recycler } from "../../widgets/task_thread_widgets/static/recycler.js";

/** Stands for a row: knows whether it is in the page. */
function makeRow() {
  const element = {
    parentNode: null,
    remove() { this.parentNode = null; },
    getBoundingClientRect: () => ({ height: 30 }),
  };
  return { element };
}

const list = { append(element) { element.parentNode = list; } };

test("a row that is scrolled away goes out of the page and stands for the next one that comes", () => {
  let made = 0;
  const rows = new Recycler(() => { made++; return makeRow(); });
  const [one, two] = [rows.of(1), rows.of(2)];
  list.append(one.element);
  list.append(two.element);
  assert.equal(rows.of(1), one);
  rows.keep(new Set([2]));
  assert.equal(one.element.parentNode, null);
  assert.equal(two.element.parentNode, list);
  assert.equal(rows.of(7), one);
  assert.equal(rows.of(2), two);
  assert.deepEqual([...rows.views.keys()], [2, 7]);
  assert.equal(made, 2);
});

test("a row is measured in its list, and leaves nothing there", () => {
  let measured;
  const rows = new Recycler(() => (measured = makeRow()));
  assert.equal(rows.heightIn(list), 30);
  assert.equal(measured.element.parentNode, null);
  assert.equal(rows.views.size, 0);
});
