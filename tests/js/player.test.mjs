import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { clockOf } from "../../widgets/task_thread_widgets/static/clock.js";
import { fromBase64, Player, playedText, readFilm } from "../../widgets/task_thread_widgets/static/player.js";

/** Ten minutes: a frame each tenth of a second in two panels, a full one each ten seconds. */
function makeFilm({ seconds = 600, marks = [], turns = [] } = {}) {
  const segments = [];
  for (let tenth = 0; tenth <= seconds * 10; tenth++) {
    const at = tenth / 10;
    const full = tenth % 100 === 0;
    if (full) segments.push({ at, frames: [] });
    for (const panel of ["tree", "timeline"]) {
      segments.at(-1).frames.push([at, panel, { kind: "frame", n: tenth + 1, full, at }, [btoa("\u0001\u0002")]]);
    }
  }
  return { format: 1, about: { name: "it", began: "", seconds, python: "", says: [] }, segments, marks, turns, sources: {} };
}

/** A player, and what it fed since somebody last asked. */
function play(film, span = () => undefined) {
  let fed = [];
  const player = new Player(film, (panel, content) => fed.push([panel, content]), span);
  const take = (panel) => {
    const of = fed.filter(([name]) => name === panel).map(([, content]) => content);
    fed = fed.filter(([name]) => name !== panel);
    return of;
  };
  return { player, take };
}

/** Whether a panel could draw these frames: a full one first, or the one after what it has; no gap after it. */
function check(frames, before) {
  frames.forEach((frame, index) => {
    const last = index ? frames[index - 1].n : before;
    assert.ok(frame.full || frame.n === last + 1, `frame ${frame.n} after ${last}`);
  });
}

test("forward nothing is fed twice, and nothing left out", () => {
  const { player, take } = play(makeFilm());
  player.seek(0);
  assert.deepEqual(take("tree").map(({ n }) => n), [1]);
  player.seek(1);
  assert.deepEqual(take("tree").map(({ n }) => n), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  player.seek(1.05);
  assert.deepEqual(take("tree"), []);
});

test("wherever it goes, a panel has all frames since a full one, up to that moment and not further", () => {
  const { player, take } = play(makeFilm(), (panel) => (panel === "timeline" ? 30 : undefined));
  const last = { tree: 0, timeline: 0 };
  let seed = 7;
  for (let i = 0; i < 300; i++) {
    seed = (seed * 16807) % 2147483647;
    const at = i % 3 ? (seed % 6000) / 10 : Math.max(0, player.at - (seed % 20) / 10);
    player.seek(at);
    for (const panel of ["tree", "timeline"]) {
      const frames = take(panel);
      check(frames, last[panel]);
      if (frames.length) last[panel] = frames.at(-1).n;
      assert.equal(last[panel], Math.floor(at * 10 + 1e-6) + 1, `${panel} at ${at}`);
    }
  }
});

test("a far jump feeds no more than the panel shows of the past, from the full frame before it", () => {
  const { player, take } = play(makeFilm(), (panel) => (panel === "timeline" ? 60 : undefined));
  player.seek(305);
  assert.equal(take("tree")[0].at, 290); // 6 seconds at least
  assert.equal(take("timeline")[0].at, 240);
});

test("on the way back it is fed from a full frame, also where no frame lies between", () => {
  const { player, take } = play(makeFilm());
  player.seek(305.08);
  take("tree");
  player.seek(305.02);
  assert.deepEqual([take("tree")[0].at, player.tracks.get("tree").next], [290, 3051]);
});

test("a panel that shows another span is fed again", () => {
  let span = 10;
  const { player, take } = play(makeFilm(), () => span);
  player.seek(305);
  take("timeline");
  span = 100;
  player.again("timeline");
  const frames = take("timeline");
  assert.equal(frames[0].at, 200);
  assert.equal(frames.at(-1).at, 305);
});

test("buffers are unpacked, once", () => {
  const film = makeFilm({ seconds: 1 });
  const got = [];
  const player = new Player(film, (_, __, buffers) => got.push(buffers[0]));
  player.seek(0);
  assert.deepEqual([...new Uint8Array(got[0])], [1, 2]);
  player.seek(1);
  player.seek(0);
  assert.equal(got.at(-1), got[1]);
});

test("time passes while it plays, at its speed, and not beyond the end", () => {
  const { player } = play(makeFilm({ seconds: 10 }));
  player.pass(1);
  assert.equal(player.at, 0);
  player.play();
  player.setSpeed(0.5);
  player.pass(1);
  assert.equal(player.at, 0.5);
  player.setSpeed(1000);
  assert.equal(player.speed, 10);
  player.pass(1);
  assert.equal(player.at, 10);
  assert.equal(player.playing, false);
  player.play(); // begins anew
  assert.equal(player.at, 0);
});

test("it goes from turn to turn, and stands still for it", () => {
  const { player } = play(makeFilm({ seconds: 10, turns: [1, 2.5, 2.52, 7] }));
  player.play();
  const seen = [];
  for (let i = 0; i < 5; i++) {
    player.step(1);
    seen.push(player.at);
  }
  // Two turns that the same frame tells of are one step.
  assert.deepEqual(seen, [1, 2.5, 2.6, 7, 10]);
  assert.equal(player.playing, false);
  const back = [];
  for (let i = 0; i < 5; i++) {
    player.step(-1);
    back.push(player.at);
  }
  assert.deepEqual(back, [7, 2.6, 2.5, 1, 0]);
});

test("it jumps to marks of a kind, and says which; without one it stays", () => {
  const marks = [[1.04, "failure", 3, "tick", "ValueError"], [2, "signal", 1, "", "go"], [4, "failure", 4, "", "boo"]];
  const { player } = play(makeFilm({ seconds: 10, marks }));
  assert.deepEqual(player.jump("failure", 1), marks[0]);
  assert.equal(player.at, 1.1); // with the first frame that can tell of it
  assert.deepEqual(player.jump("failure", 1), marks[2]);
  assert.equal(player.jump("failure", 1), undefined);
  assert.equal(player.at, 4);
  assert.deepEqual(player.jump("failure", -1), marks[0]);
  assert.equal(player.jump("advice", 1), undefined);
});

test("a moment outside is the nearest one inside", () => {
  const { player } = play(makeFilm({ seconds: 10 }));
  player.goTo(Infinity);
  assert.equal(player.at, 10);
  player.goTo(-5);
  assert.equal(player.at, 0);
  player.goTo(NaN);
  assert.equal(player.at, 0);
});

test("a recording without any frame can be played", () => {
  const player = new Player({ ...makeFilm(), segments: [] }, () => assert.fail());
  player.goTo(5);
  player.step(1);
  assert.equal(player.at, 600);
});

test("another format is refused in a sentence", () => {
  assert.throws(() => new Player({ format: 7 }, () => {}), /expected a recording of format 1, found 7/);
  assert.throws(() => new Player(null, () => {}), /found none/);
});

test("a film is unpacked", async () => {
  const film = makeFilm({ seconds: 1 });
  film.about.name = "</script>\u{1f600}";
  assert.deepEqual(await readFilm(gzipSync(JSON.stringify(film)).toString("base64")), film);
  assert.equal(await readFilm(film), film);
  assert.deepEqual([...new Uint8Array(fromBase64("AP8="))], [0, 255]);
});

test("a moment as text", () => {
  assert.equal(playedText(0), "0:00.0");
  assert.equal(playedText(62.57), "1:02.5");
  assert.equal(playedText(600), "10:00.0");
  assert.equal(playedText(2.3), "0:02.3");
});

test("a panel goes by the page's clock, or by its player's", () => {
  assert.equal(clockOf({ get: () => undefined }), performance);
  const { player } = play(makeFilm());
  player.seek(2);
  assert.equal(clockOf({ get: () => player }).now(), 2000);
});

test("a history of one moment is stepped through by its turns; every panel but the timeline has that moment", () => {
  const frame = (panel) => [9, panel, { kind: "frame", n: 1, full: true, at: 9 }, []];
  const film = makeFilm({ turns: [2, 4.5, 8], marks: [[3, "signal", 1, "", ""], [9, "failure", 1, "", ""]] });
  film.segments = [{ at: 9, frames: [frame("tree"), frame("timeline")] }];
  film.about = { ...film.about, seconds: 9, cut: 1, known: 9 };
  const { player, take } = play(film);
  const moments = [];
  player.seek(0);
  assert.equal(player.at, 1);
  assert.equal(take("tree").length, 1);
  assert.equal(take("timeline").length, 1);
  for (let i = 0; i < 4; i++) {
    player.step(1);
    moments.push(player.at);
  }
  for (let i = 0; i < 4; i++) {
    player.step(-1);
    moments.push(player.at);
  }
  assert.deepEqual(moments, [2, 4.5, 8, 9, 8, 4.5, 2, 1]);
  player.jump("signal", 1);
  assert.equal(player.at, 3);
  player.jump("failure", 1);
  assert.equal(player.at, 9);
  assert.deepEqual(take("tree"), []);
});
