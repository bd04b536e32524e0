// What a view is made of, and what holds it together. Nothing here touches the page.

/** The panels, and the traits of the view that name their widgets (`log` is the widget's own). */
export const panelTraits = {
  tree: "tree", timeline: "timeline", source: "source", log: "logs", signals: "signals", waits: "waits",
  advice: "advice",
};

export const viewTabs = [
  { tab: "timeline", text: "Timeline" },
  { tab: "source", text: "Source" },
  { tab: "log", text: "Log" },
  { tab: "signals", text: "Signals" },
  { tab: "waits", text: "Waits" },
  { tab: "advice", text: "Advice" },
  { tab: "all", text: "All" },
];

/**
 * Which tab a key leads to, as WAI-ARIA's tabs pattern has it.
 * @param {string} key
 * @param {number} index of the present one
 * @param {number} count
 * @returns {number} -1 if the key means nothing here
 */
export function tabAfter(key, index, count) {
  switch (key) {
    case "ArrowRight": return (index + 1) % count;
    case "ArrowLeft": return (index - 1 + count) % count;
    case "Home": return 0;
    case "End": return count - 1;
    default: return -1;
  }
}

/** Let a trait of several widgets be the same: what is set in one is set in all. */
export function link(models, trait) {
  for (const model of models) {
    model.on(`change:${trait}`, () => {
      const value = model.get(trait);
      for (const other of models) {
        if (other.get(trait) === value) continue;
        other.set(trait, value);
        other.save_changes();
      }
    });
  }
}
