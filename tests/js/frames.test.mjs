import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameOrder, readFrame } from "../../widgets/task_thread_widgets/static/frames.js";

const content = (more) => ({ n: 1, full: false, at: 0, facts: {}, columns: [], ...more });

test("columns are read from views that begin anywhere in a buffer", () => {
  const bytes = new Uint8Array([99, 1, 0, 2, 1, 99]);
  const frame = readFrame(content({ columns: [["turned", "H"]] }), [new DataView(bytes.buffer, 1, 4)]);
  assert.deepEqual([...frame.columns.turned], [1, 258]);
});

test("columns are read from whole buffers too", () => {
  const frame = readFrame(content({ columns: [["of", "I"], ["turned", "H"]] }),
    [new Uint32Array([70000]).buffer, new Uint16Array([3]).buffer]);
  assert.deepEqual([...frame.columns.of, ...frame.columns.turned], [70000, 3]);
});

test("nothing is drawn before a full frame, nor after a missed one", () => {
  const order = new FrameOrder();
  const take = (n, full = false) => order.take({ n, full });
  assert.equal(take(4), false);
  assert.equal(take(5, true), true);
  assert.equal(take(6), true);
  assert.equal(take(8), false);
  assert.equal(take(9), false);
  assert.equal(take(10, true), true);
  assert.equal(order.newest, 10);
});
