import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { announcePresence } from "../../widgets/task_thread_widgets/static/presence.js";

let now;
let show; // tells the view whether it is inside the window
let beat; // what the view does every 2 s

beforeEach(() => {
  now = 1000;
  beat = () => {};
  mock.method(performance, "now", () => now);
  mock.method(globalThis, "setInterval", (call) => { beat = call; });
  mock.method(globalThis, "clearInterval", () => { beat = () => {}; });
  const nothing = { hidden: false, addEventListener() {} };
  Object.assign(globalThis, {
    document: nothing,
    window: nothing,
    IntersectionObserver: class {
      constructor(told) { show = (isIntersecting) => told([{ isIntersecting }]); }
      observe() {}
      disconnect() {}
    },
  });
});

afterEach(() => mock.restoreAll());

/** A view in the window: the kinds of what it said since the last call. */
function begin() {
  const said = [];
  const presence = announcePresence({}, (message) => said.push(message.kind), () => 7,
    new AbortController().signal);
  show(true);
  return { presence, said: () => said.splice(0) };
}

function pass(seconds) {
  for (let i = 0; i < seconds; i += 2) {
    now += 2000;
    beat();
  }
}

test("a view that gets frames beats", () => {
  const { presence, said } = begin();
  assert.deepEqual(said(), ["hello"]);
  presence.got({ full: true });
  pass(2);
  presence.got({ full: false });
  pass(4);
  assert.deepEqual(said(), ["beat", "beat", "beat"]);
});

test("a view that got frames and gets none any more asks for everything, again and again", () => {
  const { presence, said } = begin();
  presence.got({ full: true });
  said();
  pass(12);
  assert.deepEqual(said(), ["beat", "beat", "visible", "beat", "beat", "visible"]);
  presence.got({ full: true });
  pass(4);
  assert.deepEqual(said(), ["beat", "beat"]);
});

test("a view that is not seen is silent", () => {
  const { presence, said } = begin();
  presence.got({ full: true });
  show(false);
  assert.deepEqual(said(), ["hello", "hidden"]);
  pass(30);
  assert.deepEqual(said(), []);
  show(true);
  assert.deepEqual(said(), ["visible"]);
});
